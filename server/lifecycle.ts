/** Whether the process serves or goes, and what is under way. */
export interface Lifecycle {
  readonly draining: boolean;
  readonly inFlight: number;
  /** Aborted when waiting must end so that answers still get out. */
  readonly stopping: AbortSignal;
  /** Counts a piece of work until it settles, and gives its result. */
  track<T>(work: Promise<T>): Promise<T>;
  /** From now on `/readyz` says no; whatever was accepted is still answered. */
  drain(): void;
  /** Ends what waits. */
  stop(): void;
  /** Resolves when nothing is under way, or after `timeoutMs`; tells how much was left. */
  idle(timeoutMs: number): Promise<number>;
}

export function createLifecycle(): Lifecycle {
  const stopping = new AbortController();
  const work = new Set<Promise<unknown>>();
  let draining = false;
  return {
    get draining() {
      return draining;
    },
    get inFlight() {
      return work.size;
    },
    stopping: stopping.signal,
    async track(promise) {
      work.add(promise);
      try {
        return await promise;
      } finally {
        work.delete(promise);
      }
    },
    drain() {
      draining = true;
    },
    stop() {
      stopping.abort();
    },
    async idle(timeoutMs) {
      const deadline = Date.now() + timeoutMs;
      while (work.size > 0 && Date.now() < deadline) {
        let timer: NodeJS.Timeout | undefined;
        const timeout = new Promise<void>((resolve) => {
          timer = setTimeout(resolve, deadline - Date.now());
        });
        await Promise.race([Promise.allSettled(work), timeout]);
        clearTimeout(timer);
      }
      return work.size;
    },
  };
}
