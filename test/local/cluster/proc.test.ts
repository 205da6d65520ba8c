import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import {
  hasEnded,
  identify,
  isAlive,
  MARKER_VARIABLE,
  markedProcesses,
  parseStat,
  statOf,
} from '../../../local/cluster/proc.ts';
import { eventually } from '../../support/eventually.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Promise<number> {
  const child = spawn(command, args, { stdio: 'ignore', env });
  children.push(child);
  await once(child, 'spawn');
  return child.pid ?? 0;
}

test('the state, parent and start of a process are read past a name with spaces and parentheses', () => {
  const tail = Array.from({ length: 30 }, (_, index) => index + 5).join(' ');
  expect(parseStat(`42 (a) b (c) S 7 ${tail}`)).toEqual({ state: 'S', parent: 7, startTicks: 22 });
});

test('a process is the recorded one only with the same start, program and boot', async () => {
  const pid = await start('sleep', ['60']);
  const identity = await identify(pid);
  if (!identity) throw new Error('sleep has ended');
  expect(await isAlive(identity)).toBe(true);
  expect(await isAlive({ ...identity, startTicks: identity.startTicks - 1 })).toBe(false);
  expect(await isAlive({ ...identity, program: '/usr/bin/other' })).toBe(false);
  expect(await isAlive({ ...identity, bootId: 'an earlier boot' })).toBe(false);
});

test('a zombie has ended', async () => {
  // The shell becomes a sleep that never collects the child which the shell had started.
  const parent = await start('sh', ['-c', 'true & exec sleep 60']);
  const zombie = await eventually('the child is a zombie', async () => {
    for (const pid of (await readdir('/proc')).map(Number).filter(Number.isInteger)) {
      const stat = await statOf(pid);
      if (stat?.parent === parent && stat.state === 'Z') return pid;
    }
    return undefined;
  });
  expect(() => process.kill(zombie ?? 0, 0)).not.toThrow();
  expect(hasEnded(await statOf(zombie ?? 0))).toBe(true);
  expect(await identify(zombie ?? 0)).toBeUndefined();
});

test('marked processes are found by the environment that they were started with', async () => {
  const value = `/tmp/state-${process.pid}`;
  const pid = await start('sleep', ['60'], { ...process.env, [MARKER_VARIABLE]: value });
  const found = (await markedProcesses()).filter((process) => process.value === value);
  expect(found).toEqual([{ pid, value }]);
});
