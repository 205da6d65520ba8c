import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkOtherCluster, checkPlatform, checkPorts, overlappingRoutes } from '../../../local/cluster/checks.ts';
import { MARKER_VARIABLE } from '../../../local/cluster/proc.ts';
import { settingsFrom } from '../../../local/cluster/settings.ts';
import { listeningInode } from '../../../local/network/listeners.ts';

test('elsewhere than on Linux the way is kind or k3d', () => {
  expect(() => checkPlatform('darwin', 501)).toThrow('runs on Linux only; this is darwin');
  expect(() => checkPlatform('darwin', 501)).toThrow(
    expect.objectContaining({ hint: expect.stringMatching(/kind or k3d.*TENTACULAR_CONTEXT=/), retryable: false }),
  );
});

test('without root the command that mends it is named', () => {
  expect(() => checkPlatform('linux', 1000)).toThrow(
    expect.objectContaining({ hint: expect.stringContaining('sudo env "PATH=$PATH" npm run cluster -- up') }),
  );
  expect(() => checkPlatform('linux', 0)).not.toThrow();
});

test('a taken port is told with who has it and how to choose another', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    const check = checkPorts(settingsFrom({ ports: { api: port } }, {}), ['api', 'felixHealth']);
    await expect(check).rejects.toMatchObject({
      message: expect.stringMatching(new RegExp(`${port} \\(api\\) by .+ \\(pid ${process.pid}\\)`)),
      hint: expect.stringContaining(`--ports api=${port + 1000}`),
    });
  } finally {
    server.close();
  }
  await expect(checkPorts(settingsFrom({ ports: { api: port } }, {}), ['api'])).resolves.toBeUndefined();
});

// Harm: the cluster does not start because of a helper of another one that has not ended yet.
test('another cluster is one of whose programs one runs, not what was left of it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tentacular-other-'));
  const settings = settingsFrom({}, process.env);
  const sleep = execFileSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).trim();
  const program = join(folder, 'etcd');
  copyFileSync(sleep, program);
  const withMarker = async (command: string, work: () => Promise<void>) => {
    const child = spawn(command, ['60'], { stdio: 'ignore', env: { [MARKER_VARIABLE]: folder } });
    const ended = once(child, 'exit');
    try {
      await once(child, 'spawn');
      await work();
    } finally {
      child.kill('SIGKILL');
      await ended;
    }
  };
  try {
    await withMarker(sleep, () => expect(checkOtherCluster(settings)).resolves.toBeUndefined());
    await withMarker(program, () => expect(checkOtherCluster(settings)).rejects.toThrow(`its state is in ${folder}`));
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a port is taken by a listener only, not by a connection', () => {
  const header = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
  const line = (state: string, inode: string) =>
    `   0: 0100007F:192B 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1`;
  expect(listeningInode(6443, [header, line('01', '11'), line('0A', '22')].join('\n'))).toBe('22');
  expect(listeningInode(6443, [header, line('01', '11')].join('\n'))).toBeUndefined();
  expect(listeningInode(6444, [header, line('0A', '22')].join('\n'))).toBeUndefined();
});

test('a route of the machine that overlaps a range is told; the own ones and the default route are not', () => {
  const routes = `default via 192.0.2.1 dev eth0
10.96.0.0/16 dev tentacular0 scope link src 172.31.255.1
blackhole 10.244.0.0/16
10.244.0.7 dev cali0123456789a scope link
10.0.0.0/8 via 192.0.2.9 dev tun0
172.31.255.0/25 dev docker0 proto kernel scope link
local 172.31.255.1 dev eth9 table local proto kernel scope host
broadcast 192.0.2.255 dev eth0 table local`;
  expect(overlappingRoutes(settingsFrom({}, {}), routes)).toEqual([
    '10.244.0.0/16 overlaps 10.0.0.0/8 of interface tun0',
    '10.96.0.0/16 overlaps 10.0.0.0/8 of interface tun0',
    '172.31.255.0/24 overlaps 172.31.255.0/25 of interface docker0',
    '172.31.255.0/24 overlaps 172.31.255.1 of interface eth9',
  ]);
});
