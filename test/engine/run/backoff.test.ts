import { describe, expect, it } from 'vitest';
import { backoffMs, longestDelayMs } from '../../../engine/run/backoff.ts';

describe('the delay before a retry', () => {
  it('doubles from 200 ms and never exceeds 10 s', () => {
    expect([1, 2, 3, 6, 7, 1000].map((retry) => backoffMs(retry, 1))).toEqual([200, 400, 800, 6400, 10_000, 10_000]);
    expect(longestDelayMs).toBe(10_000);
  });

  it('is between half and all of it, by chance', () => {
    expect([0, 0.5, 0.999_999].map((random) => backoffMs(2, random))).toEqual([200, 300, 400]);
  });
});
