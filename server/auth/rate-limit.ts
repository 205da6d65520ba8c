export interface RateLimitOptions {
  /** Calls a second that a key may make for long. */
  readonly perSecond: number;
  /** Calls that it may make at once after a pause. */
  readonly burst: number;
  /** Keys remembered; the one unused for longest goes first. Default 10 000. */
  readonly maxKeys?: number;
  /** Milliseconds; only differences count. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** Token buckets by key, in bounded memory. */
export interface RateLimiter {
  /** Takes one; the seconds to wait (at least 1) if there is none. */
  take(key: string): { readonly allowed: true } | { readonly allowed: false; readonly retryAfterSeconds: number };
  readonly size: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const { perSecond, burst, maxKeys = 10_000 } = options;
  const now = options.now ?? (() => performance.now());
  // A Map keeps insertion order; setting anew after a delete makes it the order of use.
  const buckets = new Map<string, Bucket>();

  return {
    take(key) {
      const at = now();
      const before = buckets.get(key);
      const tokens = before ? Math.min(burst, before.tokens + ((at - before.at) / 1000) * perSecond) : burst;
      const allowed = tokens >= 1;
      buckets.delete(key);
      buckets.set(key, { tokens: allowed ? tokens - 1 : tokens, at });
      if (buckets.size > maxKeys) evictOldest(buckets);
      if (allowed) return { allowed };
      return { allowed, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / perSecond)) };
    },
    get size() {
      return buckets.size;
    },
  };
}

function evictOldest(buckets: Map<string, Bucket>): void {
  const oldest = buckets.keys().next();
  if (!oldest.done) buckets.delete(oldest.value);
}
