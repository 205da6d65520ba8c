import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withLock } from '../../local/lock.ts';
import { projectRoot } from '../support/source-files.ts';

const name = () => `test-${process.pid}-${performance.now()}`;

test('work under one name never overlaps', async () => {
  const lock = name();
  let inside = 0;
  let most = 0;
  const work = () =>
    withLock(lock, { timeoutMs: 10_000 }, async () => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside--;
    });
  await Promise.all([work(), work(), work()]);
  expect(most).toBe(1);
});

test('the lock is free again after work that failed', async () => {
  const lock = name();
  const failing = withLock(lock, { timeoutMs: 1_000 }, () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await withLock(lock, { timeoutMs: 1_000 }, async () => 'free')).toBe('free');
});

test('who waits in vain is told which process has it, and a killed holder leaves nothing behind', async () => {
  const lock = name();
  const script = `
    import { withLock } from ${JSON.stringify(join(projectRoot, 'local/lock.ts'))};
    await withLock(${JSON.stringify(lock)}, { timeoutMs: 1000 }, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const waiting = withLock(lock, { timeoutMs: 300 }, async () => 'never');
  await expect(waiting).rejects.toThrow(`in use by process ${holder.pid}`);
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  expect(await withLock(lock, { timeoutMs: 2_000 }, async () => 'free')).toBe('free');
});
