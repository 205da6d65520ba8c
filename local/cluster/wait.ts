const POLL_MS = 50;

/** Asks until it gets an answer that is not `undefined`; `undefined` when the time is over. */
export async function pollUntil<T>(
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
  intervalMs: number = POLL_MS,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() + intervalMs > deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
