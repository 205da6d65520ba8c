import { describe, expect, it } from 'vitest';
import { createLifecycle } from '../../server/lifecycle.ts';

describe('the end of the process', () => {
  it('work is counted until it settles, also where it fails', async () => {
    const lifecycle = createLifecycle();
    const work = Promise.withResolvers<number>();
    const failing = Promise.withResolvers<never>();
    const tracked = lifecycle.track(work.promise);
    const trackedFailure = lifecycle.track(failing.promise);
    expect(lifecycle.inFlight).toBe(2);
    work.resolve(7);
    failing.reject(new Error('no'));
    expect(await tracked).toBe(7);
    await expect(trackedFailure).rejects.toThrow('no');
    expect(lifecycle.inFlight).toBe(0);
    expect(await lifecycle.idle(0)).toBe(0);
  });

  it('idle waits for work that came while it waited, and tells what is left at the deadline', async () => {
    const lifecycle = createLifecycle();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    void lifecycle.track(first.promise).then(() => lifecycle.track(second.promise));
    const idle = lifecycle.idle(5000);
    first.resolve();
    await first.promise;
    setTimeout(() => second.resolve(), 20);
    expect(await idle).toBe(0);
    void lifecycle.track(new Promise(() => undefined));
    expect(await lifecycle.idle(20)).toBe(1);
  });

  it('draining does not end what is under way; stopping does', () => {
    const lifecycle = createLifecycle();
    lifecycle.drain();
    expect([lifecycle.draining, lifecycle.stopping.aborted]).toEqual([true, false]);
    lifecycle.stop();
    expect(lifecycle.stopping.aborted).toBe(true);
  });
});
