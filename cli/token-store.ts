import { join } from 'node:path';
import { z } from 'zod';
import { readPrivate, removePrivate, withFileLock, writePrivate } from './private-file.ts';
import type { Terminal } from './terminal.ts';
import { placeSchema } from './trust.ts';

/** What an Authorization header can carry; the error of an HTTP client that is given something else would quote it. */
export function isBearerToken(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

const schema = z.object({
  place: placeSchema,
  access_token: z.string().refine(isBearerToken),
  refresh_token: z.string().optional(),
  /** Milliseconds since the epoch. */
  expires_at: z.number(),
});

/** What is kept of a login. */
export type StoredTokens = z.output<typeof schema>;

/** The tokens of one environment: `~/.tentacular/tokens/<env>.json`, mode 0600. */
export interface TokenStore {
  /** Undefined where there are none. */
  read(): Promise<StoredTokens | undefined>;
  write(tokens: StoredTokens): Promise<void>;
  /** To be called under the lock. */
  remove(): Promise<void>;
  /** One process at a time. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

export function tokenStore({ home }: Terminal, environment: string): TokenStore {
  const path = join(home, '.tentacular/tokens', `${environment}.json`);
  return {
    read: () => readPrivate(path, schema),
    write: (tokens) => writePrivate(path, tokens),
    remove: () => removePrivate(path),
    locked: (work) => withFileLock(`${path}.lock`, work),
  };
}
