import type { Time } from '../../../engine/run/time.ts';

interface Timer {
  readonly at: number;
  readonly action: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualTime implements Time {
  #now = 0;
  readonly #timers = new Set<Timer>();
  /** What `random()` answers. */
  chance = 0;

  now(): number {
    return Date.UTC(2026, 0, 1) + this.#now;
  }

  elapsed(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that are set and have not fired: what is left over would keep a process from ending. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Moves the clock, fires what is due in order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.action();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets everything run that is ready to. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
