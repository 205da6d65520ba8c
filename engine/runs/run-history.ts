import { type RunEntry, shortened } from './run-entry.ts';

/** Runs that `GET /runs` lists, with their outputs. */
export const listedRuns = 100;
/** Run ids that are remembered, so that a repeated delivery does not run twice. */
export const rememberedRuns = 1000;

/** The last runs by id, the oldest first to go; one under way is never forgotten. */
export class RunHistory {
  readonly #entries = new Map<string, RunEntry>();

  find(runId: string): RunEntry | undefined {
    return this.#entries.get(runId);
  }

  add(entry: RunEntry): void {
    this.#entries.set(entry.runId, entry);
    if (this.#entries.size > rememberedRuns) this.#forgetOne();
    const beyond = [...this.#entries.values()].at(-listedRuns - 1);
    if (beyond?.finished !== undefined) beyond.finished = shortened(beyond.finished, 0);
  }

  /** The last 100, the newest first. */
  list(): readonly RunEntry[] {
    return [...this.#entries.values()].slice(-listedRuns).reverse();
  }

  /** Whether `entry` is among the last 100. */
  lists(entry: RunEntry): boolean {
    return this.list().includes(entry);
  }

  #forgetOne(): void {
    for (const [runId, entry] of this.#entries) {
      if (entry.finished === undefined) continue;
      this.#entries.delete(runId);
      return;
    }
  }
}
