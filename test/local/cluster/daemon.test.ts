import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  type Daemon,
  ensureStarted,
  readRecord,
  readRecords,
  stop,
  waitUntilReady,
} from '../../../local/cluster/daemon.ts';
import { type Layout, layoutOf } from '../../../local/cluster/layout.ts';
import { isAlive } from '../../../local/cluster/proc.ts';
import { projectRoot } from '../../support/source-files.ts';

let layout: Layout;
beforeEach(() => {
  layout = layoutOf(mkdtempSync(join(tmpdir(), 'tentacular-daemon-')));
});
afterEach(async () => {
  for (const record of await readRecords(layout)) await stop(record);
  rmSync(layout.stateDir, { recursive: true, force: true });
});

const sleep = execFileSync('sh', ['-c', 'command -v sleep'], { encoding: 'utf8' }).trim();

function daemon(change: Partial<Daemon> = {}): Daemon {
  return { name: 'sleeper', command: sleep, args: ['60'], ready: async () => true, ...change };
}

async function pidOf(name: string): Promise<number | undefined> {
  return (await readRecord(layout, name))?.identity.pid;
}

test('a second start finds the first', async () => {
  expect(await ensureStarted(daemon(), layout)).toBe('started');
  const pid = await pidOf('sleeper');
  expect(await ensureStarted(daemon(), layout)).toBe('running');
  expect(await pidOf('sleeper')).toBe(pid);
});

test('changed arguments, environment or configuration restart it', async () => {
  const config = join(layout.stateDir, 'config');
  writeFileSync(config, 'a');
  await ensureStarted(daemon({ configFiles: [config] }), layout);
  const first = await readRecord(layout, 'sleeper');
  writeFileSync(config, 'b');
  expect(await ensureStarted(daemon({ configFiles: [config] }), layout)).toBe('restarted');
  expect(first && (await isAlive(first.identity))).toBe(false);
  expect(await ensureStarted(daemon({ configFiles: [config], args: ['61'] }), layout)).toBe('restarted');
  expect(await ensureStarted(daemon({ configFiles: [config], args: ['61'], env: { A: '1' } }), layout)).toBe(
    'restarted',
  );
});

test('stopping leaves a process alone that merely has the recorded pid', async () => {
  await ensureStarted(daemon(), layout);
  const record = await readRecord(layout, 'sleeper');
  if (!record) throw new Error('no record');
  await stop({ ...record, identity: { ...record.identity, startTicks: record.identity.startTicks + 1 } });
  expect(await isAlive(record.identity)).toBe(true);
  await stop(record);
  expect(await isAlive(record.identity)).toBe(false);
});

test('a program that ends at once is reported with what it said last', async () => {
  const args = ['-c', 'echo "flag provided but not defined" >&2; exit 2'];
  const failing = daemon({ command: '/bin/sh', args, ready: async () => false });
  await ensureStarted(failing, layout);
  await expect(waitUntilReady(failing, layout)).rejects.toThrow(/sleeper ended right after its start:\nflag provided/);
});

test('a program that never gets ready is reported when its time is over', async () => {
  const slow = daemon({ ready: () => Promise.reject(new Error('refused')), readyTimeoutMs: 200 });
  await ensureStarted(slow, layout);
  await expect(waitUntilReady(slow, layout)).rejects.toMatchObject({ code: 'timeout' });
});

test('a program that cannot be started is an error, not a record', async () => {
  await expect(ensureStarted(daemon({ command: '/nonexistent' }), layout)).rejects.toThrow('sleeper cannot be started');
  expect(await readRecord(layout, 'sleeper')).toBeUndefined();
});

test('a torn record counts as none', async () => {
  await ensureStarted(daemon(), layout);
  const whole = readFileSync(join(layout.pids, 'sleeper.json'), 'utf8');
  writeFileSync(join(layout.pids, 'torn.json'), whole.slice(0, 20));
  expect((await readRecords(layout)).map((record) => record.name)).toEqual(['sleeper']);
});

test('it runs on when the process that started it has ended', async () => {
  const script = `
    import { ensureStarted } from ${JSON.stringify(join(projectRoot, 'local/cluster/daemon.ts'))};
    import { layoutOf } from ${JSON.stringify(join(projectRoot, 'local/cluster/layout.ts'))};
    await ensureStarted({ name: 'sleeper', command: ${JSON.stringify(sleep)}, args: ['60'], ready: async () => true },
      layoutOf(${JSON.stringify(layout.stateDir)}));`;
  const starter = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(starter.stderr).toBe('');
  const record = await readRecord(layout, 'sleeper');
  expect(record && (await isAlive(record.identity))).toBe(true);
});

test('a log of more than 8 MiB is put aside at the next start', async () => {
  await ensureStarted(daemon(), layout);
  const record = await readRecord(layout, 'sleeper');
  if (record) await stop(record);
  writeFileSync(join(layout.log, 'sleeper.log'), Buffer.alloc((8 << 20) + 1));
  await ensureStarted(daemon(), layout);
  expect(readFileSync(join(layout.log, 'sleeper.log')).byteLength).toBe(0);
  expect(readFileSync(join(layout.log, 'sleeper.log.1')).byteLength).toBe((8 << 20) + 1);
});
