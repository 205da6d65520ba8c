import type { Cluster } from './cluster/index.ts';

export interface ReadinessOptions {
  /** How long one verdict counts, in milliseconds: probes must not become load on the API server. Default 1000. */
  readonly ageMs?: number;
  /** How long the API server may take to answer. Default 2000. */
  readonly timeoutMs?: number;
  /** Milliseconds; only differences count. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** Asks whether the API server answers and the caches are filled: why not, or undefined. One question at a time. */
export function createReadiness(
  cluster: Pick<Cluster, 'ping'> & { readonly cache: Pick<Cluster['cache'], 'ready'> },
  options: ReadinessOptions = {},
): () => Promise<string | undefined> {
  const { ageMs = 1000, timeoutMs = 2000, now = () => performance.now() } = options;
  let asked: { readonly at: number; readonly verdict: Promise<string | undefined> } | undefined;

  async function ask(): Promise<string | undefined> {
    if (!cluster.cache.ready) return 'the caches are not filled yet';
    try {
      await cluster.ping({ timeoutMs });
      return undefined;
    } catch {
      // The reason stays inside: this path needs no authentication.
      return 'the API server does not answer';
    }
  }

  return () => {
    if (asked === undefined || now() - asked.at >= ageMs) asked = { at: now(), verdict: ask() };
    return asked.verdict;
  };
}
