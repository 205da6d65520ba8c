/** Clock, timers and chance as a run sees them: a parameter, so that tests decide what time it is. */
export interface Time {
  /** Wall clock, milliseconds since the epoch. */
  now(): number;
  /** Monotonic clock, milliseconds; only differences mean something. */
  elapsed(): number;
  /** Calls `action` once after `delayMs`; returns a function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
  /** At least 0, below 1. */
  random(): number;
}

/** Timers hold 31 bits of milliseconds; a longer delay would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

export const systemTime: Time = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, Math.min(Math.max(0, delayMs), longestDelayMs));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};

/** Resolves after `delayMs`, or as soon as `signal` aborts; never rejects. */
export function pause(time: Time, delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = time.after(delayMs, finish);
    signal.addEventListener('abort', finish);
  });
}

/** A duration for people: `850 ms`, `30 s`, `2.5 min`. */
export function describeDuration(durationMs: number): string {
  const ms = Math.round(durationMs);
  if (ms < 1000) return `${ms} ms`;
  if (ms < 120_000) return `${Math.round(ms / 100) / 10} s`;
  return `${Math.round(ms / 6000) / 10} min`;
}
