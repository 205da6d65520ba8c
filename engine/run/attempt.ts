import type { Time } from './time.ts';

/** How one call of a node ended. */
export type AttemptResult =
  | { readonly kind: 'returned'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly thrown: unknown }
  /** Its own timeout passed. */
  | { readonly kind: 'timeout' }
  /** The run was stopped meanwhile: another node failed, the run's timeout, shutdown. */
  | { readonly kind: 'stopped' };

export interface AttemptOptions {
  /** Aborts when the run is stopped. */
  readonly runSignal: AbortSignal;
  readonly timeoutMs?: number;
  readonly time: Time;
  /** Told of a node that had not ended when its attempt did; the promise resolves if it ever does. */
  readonly onAbandoned: (settled: Promise<void>) => void;
}

/**
 * Calls a node once. Ends with whatever comes first: its result, its timeout, the end of the run. The node's signal
 * aborts in the latter two; what it does after that no longer counts, and a late rejection harms nobody.
 */
export function attempt(
  call: (signal: AbortSignal) => unknown,
  { runSignal, timeoutMs, time, onAbandoned }: AttemptOptions,
): Promise<AttemptResult> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const end = (result: AttemptResult, reason?: string) => {
      cancelTimer();
      runSignal.removeEventListener('abort', onStop);
      // First the outcome, then the signal: a node that rejects because of it must not turn a timeout into an error.
      resolve(result);
      if (reason === undefined) return;
      onAbandoned(settled);
      controller.abort(new DOMException(reason, 'AbortError'));
    };
    const onStop = () => end({ kind: 'stopped' }, 'the run was stopped');
    const cancelTimer =
      timeoutMs === undefined
        ? () => undefined
        : time.after(timeoutMs, () => end({ kind: 'timeout' }, 'the node took longer than its timeout'));
    runSignal.addEventListener('abort', onStop);
    const settled = (async () => call(controller.signal))().then(
      (value) => end({ kind: 'returned', value }),
      (thrown: unknown) => end({ kind: 'threw', thrown }),
    );
    if (runSignal.aborted) onStop();
  });
}
