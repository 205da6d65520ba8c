/** Delay before the first retry, in milliseconds, before jitter. */
const firstDelayMs = 200;
/** No delay is longer. */
export const longestDelayMs = 10_000;

/**
 * Milliseconds to wait before retry number `retry` (1 = the first): 200 ms doubled each time, at most 10 s, of which
 * `random` (0 to 1) leaves between half and all, so that tentacles that failed together do not return together.
 */
export function backoffMs(retry: number, random: number): number {
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(retry - 1, 30));
  return Math.round(full / 2 + (full / 2) * random);
}
