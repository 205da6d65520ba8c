import { expect, it } from 'vitest';
import { lineWriter } from '../../../engine/process/line-writer.ts';

it('a line arrives whole where the pipe takes three bytes at a time', () => {
  const parts: string[] = [];
  const write = lineWriter({
    writeSync: (bytes) => {
      parts.push(new TextDecoder().decode(bytes.subarray(0, 3)));
      return Math.min(3, bytes.byteLength);
    },
  });
  write('{"a":1}');
  expect(parts.join('')).toBe('{"a":1}\n');
});

it('a pipe that takes nothing, or is broken, costs the line and not the run', () => {
  let calls = 0;
  const stuck = lineWriter({
    writeSync: () => {
      calls++;
      return 0;
    },
  });
  const broken = lineWriter({
    writeSync: () => {
      throw new Error('EPIPE');
    },
  });
  expect(() => [stuck('x'), broken('x')]).not.toThrow();
  expect(calls).toBe(1);
});
