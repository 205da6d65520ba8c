/** Resolves after `ms`, or at once when `signal` is aborted; never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Exponential backoff with full jitter in its upper half: `attempt` counts from 1. */
export function backoffMs(
  attempt: number,
  bounds: { readonly baseMs: number; readonly capMs: number },
  random: () => number,
): number {
  const ceiling = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(attempt - 1, 30));
  return ceiling / 2 + (random() * ceiling) / 2;
}

/**
 * Between two readings of an object that moves under a write: a Deployment that rolls out changes its status many times
 * a second. Ten readings take two to three seconds.
 */
export const movingRounds = 10;
export const movingBackoff = { baseMs: 20, capMs: 500 };
/** Answers to one write that may get lost before its call gives up: each may take its whole deadline. */
export const maxLost = 5;
