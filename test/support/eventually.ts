/**
 * Polls until `probe` returns without throwing and its value satisfies `done` (default: any value but undefined or
 * false). At the deadline it throws the last failure, so that a test says what it last saw.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T>,
  options: { timeoutMs?: number; intervalMs?: number; done?: (value: T) => boolean } = {},
): Promise<T> {
  const { timeoutMs = 60_000, intervalMs = 250, done = (value: T) => value !== undefined && value !== false } = options;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const value = await probe();
      if (done(value)) return value;
      last = JSON.stringify(value) ?? 'undefined';
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    if (Date.now() >= deadline) throw new Error(`not within ${timeoutMs} ms: ${what}; last seen: ${last}`);
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
