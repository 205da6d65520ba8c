import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { duration, streamProgress } from '../../local/progress.ts';

function capture(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += String(chunk);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 60 }), text: () => text };
}

test('in a log each step is one plain line with its duration; a failed one is marked', async () => {
  const { stream, text } = capture(false);
  let clockMs = 0;
  const progress = streamProgress(stream, () => clockMs);
  await progress.step('etcd started', async () => {
    clockMs = 400;
  });
  const failing = progress.step('kubelet started', async (report) => {
    report('half way');
    clockMs = 65_400;
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  progress.note('done');
  expect(text()).toBe('✓ etcd started (0.4 s)\n✗ kubelet started (1 min 05 s)\ndone\n');
});

test('in a log a long step says every 15 s how far it is', async () => {
  const { stream, text } = capture(false);
  let clockMs = 0;
  const progress = streamProgress(stream, () => clockMs);
  await progress.step('building', async (report) => {
    report('package 7 of at most 100');
    clockMs = 16_000;
    const deadline = performance.now() + 15_000;
    while (text() === '' && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  });
  expect(text()).toBe('… building: package 7 of at most 100 (16 s)\n✓ building (16 s)\n');
});

test('on a terminal one live line shows what goes on, and is replaced by the outcome', async () => {
  const { stream, text } = capture(true);
  const progress = streamProgress(stream, () => 0);
  await progress.step('one', async () => progress.step('two', async () => undefined));
  const lines = text().split('\n');
  expect(lines[0]).toContain('\r\u001b[K⠋ one (0.0 s)');
  expect(lines[0]).toContain('one (0.0 s) · two (0.0 s)');
  expect(lines.at(-2)?.endsWith(' one (0.0 s)\r\u001b[K✓ one (0.0 s)')).toBe(true);
  expect(lines.at(-1)).toBe('');
});

test.each([
  [400, '0.4 s'],
  [9_960, '10.0 s'],
  [38_400, '38 s'],
  [365_000, '6 min 05 s'],
])('%i ms reads %s', (elapsedMs, text) => {
  expect(duration(elapsedMs)).toBe(text);
});
