import type { NodeReport } from '../run/execute.ts';

/** Runs that the error rate looks back on, and durations kept for the percentiles of each node. */
const windowSize = 100;

export interface LastRun {
  readonly run_id: string;
  /** ISO 8601. */
  readonly at: string;
  /** As in the header: `manual`, `cron:daily`, `queue:orders`. */
  readonly trigger: string;
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly error?: string;
}

interface NodeStatistics {
  /** Runs in which the node was called. */
  readonly count: number;
  readonly failures: number;
  /** Over its last 100; null before the first. */
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface RunStatistics {
  readonly runs: number;
  readonly failures: number;
  /** Share of failed ones among the last 100 runs, 0 to 1; 0 before the first. */
  readonly error_rate: number;
  readonly last_run: LastRun | null;
  readonly nodes: Readonly<Record<string, NodeStatistics>>;
}

class NodeCounter {
  count = 0;
  failures = 0;
  readonly durations: number[] = [];
}

/** Counters since the start of the process; bounded memory. */
export class Statistics {
  #runs = 0;
  #failures = 0;
  readonly #recent: boolean[] = [];
  readonly #nodes: ReadonlyMap<string, NodeCounter>;
  #lastRun: LastRun | null = null;

  constructor(nodes: readonly string[]) {
    this.#nodes = new Map(nodes.map((name) => [name, new NodeCounter()]));
  }

  record(run: LastRun, nodes: readonly NodeReport[]): void {
    this.#runs++;
    if (!run.ok) this.#failures++;
    keep(this.#recent, run.ok);
    this.#lastRun = run;
    for (const report of nodes) {
      const counter = this.#nodes.get(report.name);
      if (counter === undefined || report.attempts === 0) continue;
      counter.count++;
      // A cancelled node is another one's victim.
      if (report.status === 'failed' || report.status === 'timeout') counter.failures++;
      keep(counter.durations, report.durationMs);
    }
  }

  snapshot(): RunStatistics {
    const failed = this.#recent.filter((ok) => !ok).length;
    return {
      runs: this.#runs,
      failures: this.#failures,
      error_rate: this.#recent.length === 0 ? 0 : failed / this.#recent.length,
      last_run: this.#lastRun,
      nodes: Object.fromEntries(
        [...this.#nodes].map(([name, { count, failures, durations }]) => [
          name,
          { count, failures, p50_ms: percentile(durations, 0.5), p95_ms: percentile(durations, 0.95) },
        ]),
      ),
    };
  }
}

function keep<T>(window: T[], item: T): void {
  window.push(item);
  if (window.length > windowSize) window.shift();
}

/** By nearest rank, rounded to a tenth; null for none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  return value === undefined ? null : Math.round(value * 10) / 10;
}
