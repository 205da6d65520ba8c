import { describe, expect, it } from 'vitest';
import { createRateLimiter } from '../../../server/auth/rate-limit.ts';

describe('a rate limiter', () => {
  it('lets a burst through, then as many as flow back, and says how long to wait', () => {
    let now = 0;
    const limiter = createRateLimiter({ perSecond: 2, burst: 3, now: () => now });
    const allowed = (count: number) => Array.from({ length: count }, () => limiter.take('a').allowed);
    expect(allowed(4)).toEqual([true, true, true, false]);
    expect(limiter.take('a')).toEqual({ allowed: false, retryAfterSeconds: 1 });
    now += 1000;
    expect(allowed(3)).toEqual([true, true, false]);
    now += 3_600_000;
    expect(allowed(4)).toEqual([true, true, true, false]);
  });

  it('one key does not use up what another has', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1, now: () => 0 });
    expect([limiter.take('a').allowed, limiter.take('a').allowed, limiter.take('b').allowed]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('remembers a bounded number of keys, the one unused for longest goes first', () => {
    const limiter = createRateLimiter({ perSecond: 1, burst: 1, maxKeys: 2, now: () => 0 });
    limiter.take('a');
    limiter.take('b');
    limiter.take('a');
    limiter.take('c');
    expect(limiter.size).toBe(2);
    expect(limiter.take('a').allowed).toBe(false);
    for (let key = 0; key < 10_000; key += 1) limiter.take(`k${key}`);
    expect(limiter.size).toBe(2);
  });
});
