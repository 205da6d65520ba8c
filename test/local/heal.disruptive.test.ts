import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { cgroupPids } from '../../local/cluster/cgroups.ts';
import { readRecords } from '../../local/cluster/daemon.ts';
import { layoutOf } from '../../local/cluster/layout.ts';
import { markedProcesses, programOf, signal } from '../../local/cluster/proc.ts';
import { mountPointsBelow } from '../../local/cluster/purge.ts';
import { settingsFrom } from '../../local/cluster/settings.ts';
import { projectRoot } from '../support/source-files.ts';

const run = promisify(execFile);
const id = randomBytes(3).toString('hex');
const TIMEOUT_MS = 240_000;

/**
 * A second cluster, which the harm is done to: with a state folder of its own, in a network namespace of its own, so that
 * it has all ports, rules and addresses to itself. `up` ends well only where the DNS of the cluster answers, so its
 * success proves programs, node, service rules, pod network and a running pod.
 */
describe.skipIf(inject('outside') === undefined)('a local cluster mends itself', { timeout: TIMEOUT_MS }, () => {
  const netns = `tentacular-heal-${id}`;
  const stateDir = `/var/lib/tentacular-heal-${id}`;
  const settings = settingsFrom({ stateDir }, {});
  const layout = layoutOf(stateDir);
  const entry = join(projectRoot, 'local/cluster-command.ts');
  const inside = [`--net=/run/netns/${netns}`, '--'];

  const command = async (name: string, ...args: string[]) => {
    const { stderr } = await run('nsenter', [...inside, process.execPath, entry, name, '--state', stateDir, ...args], {
      timeout: TIMEOUT_MS,
    });
    return stderr;
  };
  const network = async (...args: string[]) => (await run('nsenter', [...inside, ...args])).stdout;
  const ours = async () => (await markedProcesses()).filter(({ value }) => value === stateDir);
  // Helpers that programs run for a moment are among them: they may have ended by themselves.
  const kill = (pids: Iterable<number>) => {
    for (const pid of pids) signal(pid, 'SIGKILL');
  };
  const killEverything = async () => {
    kill((await ours()).map(({ pid }) => pid));
    // Killed with their shims or not: those that are left have nobody to look after them.
    kill(await cgroupPids(settings.instance));
  };
  /**
   * What is mounted stays and makes the deletion fail: that is the harm. Not by Node's own `rm`, which gives up at the
   * first mount, and goes on to delete behind everybody's back.
   */
  const deleteState = () => run('sh', ['-c', 'rm -rf "$0" || true', stateDir]);
  const programs = async () => {
    const names = await Promise.all((await readRecords(layout)).map(({ identity }) => programOf(identity.pid)));
    return names.filter((name) => name !== undefined).length;
  };

  beforeAll(async () => {
    await run('ip', ['netns', 'add', netns]);
    await network('ip', 'link', 'set', 'lo', 'up');
  });
  afterAll(async () => {
    await command('reset');
    await run('ip', ['netns', 'delete', netns]);
    await rm(stateDir, { recursive: true, force: true });
  });

  test('two ups at once start one cluster, without a default route', async () => {
    const both = await Promise.all([command('up'), command('up')]);
    expect(both.filter((output) => output.includes('waiting for process'))).toHaveLength(1);
    expect(both.every((output) => output.includes('cluster ready in'))).toBe(true);
    const apiServers = await Promise.all((await ours()).map(({ pid }) => programOf(pid)));
    expect(apiServers.filter((name) => name?.endsWith('/kube-apiserver'))).toHaveLength(1);
    expect(await programs()).toBe(8);
  });

  test('after kill -9 of every recorded program', async () => {
    kill((await readRecords(layout)).map(({ identity }) => identity.pid));
    await command('up');
    expect(await programs()).toBe(8);
  });

  test('after kill -9 of everything at once: programs, shims, containers', async () => {
    await killEverything();
    await command('up');
    expect(await programs()).toBe(8);
  });

  test('after its state folder was deleted while it ran', async () => {
    const before = new Set((await ours()).map(({ pid }) => pid));
    await deleteState();
    expect(await readRecords(layout)).toEqual([]);
    const output = await command('up');
    expect(output).toContain('ended 8 programs of an earlier start that was not recorded');
    expect((await ours()).filter(({ pid }) => before.has(pid))).toEqual([]);
    expect(await programs()).toBe(8);
  });

  test('after everything was killed and its state folder deleted', async () => {
    await killEverything();
    await deleteState();
    await command('up');
    expect(await programs()).toBe(8);
  });

  test('after data that etcd cannot read: it is put aside, and said', async () => {
    await command('down');
    const folder = join(layout.etcdData, 'member', 'wal');
    for (const name of await readdir(folder)) {
      const file = await open(join(folder, name), 'r+');
      await file.write(randomBytes(1 << 16), 0, 1 << 16, 0);
      await file.close();
    }
    expect(await command('up')).toContain(`etcd could not read its data, which is now in ${layout.etcdData}.damaged`);
  });

  test('a start that is killed at any moment is finished by the next; down leaves nothing on the machine', async () => {
    await command('down');
    for (const killAfterMs of [400, 900, 1800, 3500]) {
      const child = spawn('nsenter', [...inside, process.execPath, entry, 'up', '--state', stateDir], {
        stdio: 'ignore',
      });
      await new Promise((resolve) => setTimeout(resolve, killAfterMs));
      child.kill('SIGKILL');
    }
    await command('up');
    expect(await programs()).toBe(8);

    await command('down');
    expect(await ours()).toEqual([]);
    expect(await cgroupPids(settings.instance)).toEqual(new Set());
    expect(mountPointsBelow(stateDir, await readFile('/proc/self/mountinfo', 'utf8'))).toEqual([]);
    expect(await network('iptables-save')).not.toMatch(/KUBE-|cali-|CNI-/);
    expect(await network('ipset', 'list', '-n')).toBe('');
    expect(await network('nft', 'list', 'tables')).not.toContain('guard');
    expect(await network('ip', '-o', 'link')).not.toMatch(/cali|tentacular/);
    expect(await network('ip', 'route')).toBe('');
    expect(await run('ip', ['netns', 'list']).then(({ stdout }) => stdout)).not.toContain(settings.extNetns);
    expect(await command('down')).toContain('nothing was running');
  });

  test('reset deletes its state, and nothing that was not its own', async () => {
    const foreign = join(stateDir, 'kept-by-somebody.txt');
    await (await open(foreign, 'w')).close();
    await command('reset');
    expect(await readdir(stateDir)).toEqual(['kept-by-somebody.txt']);
  });
});
