import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

export interface KeySetOptions {
  /** Fetches what the issuer publishes now; rejects where it cannot. */
  readonly load: () => Promise<JSONWebKeySet>;
  /** How often keys are fetched in the background, in milliseconds: a withdrawn key lives no longer. Default 300 000. */
  readonly refreshMs?: number;
  /** Pause after a fetch that failed, in milliseconds. Default 5000. */
  readonly retryMs?: number;
  /** A key that is not known yet is asked for at most once in this time, in milliseconds. Default 30 000. */
  readonly unknownKeyMs?: number;
  /** Told why a fetch failed, once an outage. */
  readonly onFault?: (message: string) => void;
  /** Milliseconds; only differences count. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** The issuer's public keys. They are kept while it is away. */
export interface KeySet {
  /** Key for one token. Throws KeysUnavailable, or an error of jose where there is no such key. */
  readonly key: JWTVerifyGetKey;
  /** Fetches now and from now on in the background. */
  start(): void;
  close(): void;
}

/** Neither yes nor no: the issuer does not answer. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('the keys of the issuer cannot be fetched');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

export function createKeySet(options: KeySetOptions): KeySet {
  const { load, refreshMs = 300_000, retryMs = 5000, unknownKeyMs = 30_000 } = options;
  const now = options.now ?? (() => performance.now());
  let keys: LocalKeys | undefined;
  let loading: Promise<void> | undefined;
  let failedAt: number | undefined;
  let askedAt = Number.NEGATIVE_INFINITY;
  let running = false;
  let timer: NodeJS.Timeout | undefined;

  /** One fetch at a time; never rejects. What was there stays where it fails, and the next one comes sooner. */
  function reload(): Promise<void> {
    loading ??= load()
      .then((published) => {
        if (published.keys.length === 0) throw new Error('the issuer publishes no key');
        keys = createLocalJWKSet(published);
        failedAt = undefined;
      })
      .catch((error: unknown) => {
        if (failedAt === undefined) options.onFault?.(error instanceof Error ? error.message : String(error));
        failedAt = now();
      })
      .finally(() => {
        loading = undefined;
        if (!running) return;
        clearTimeout(timer);
        timer = setTimeout(reload, failedAt === undefined ? refreshMs : retryMs);
        timer.unref();
      });
    return loading;
  }

  function unavailable(): KeysUnavailable {
    const left = failedAt === undefined ? retryMs : retryMs - (now() - failedAt);
    return new KeysUnavailable(Math.max(1, Math.ceil(left / 1000)));
  }

  async function firstKeys(): Promise<LocalKeys> {
    if (loading !== undefined || failedAt === undefined || now() - failedAt >= retryMs) await reload();
    if (keys === undefined) throw unavailable();
    return keys;
  }

  return {
    async key(header, token) {
      let current = keys ?? (await firstKeys());
      const look = async () => {
        try {
          return await current(header, token);
        } catch (error) {
          if (error instanceof errors.JWKSNoMatchingKey) return undefined;
          throw error;
        }
      };
      let found = await look();
      if (found === undefined && loading !== undefined) {
        await loading;
        current = keys ?? current;
        found = await look();
      }
      if (found === undefined && now() - askedAt >= unknownKeyMs) {
        askedAt = now();
        await reload();
        current = keys ?? current;
        found = await look();
      }
      if (found !== undefined) return found;
      // While the issuer is away, nobody can tell an unknown key from a new one.
      throw failedAt === undefined ? new errors.JWKSNoMatchingKey() : unavailable();
    },
    start() {
      if (running) return;
      running = true;
      void reload();
    },
    close() {
      running = false;
      clearTimeout(timer);
    },
  };
}
