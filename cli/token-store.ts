import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readPrivate, withFileLock, writePrivate } from './private-file.ts';
import type { Terminal } from './terminal.ts';
import type { Place } from './trust.ts';

/** What is kept of a login. */
export interface StoredTokens {
  readonly place: Place;
  readonly access_token: string;
  readonly refresh_token?: string;
  /** Milliseconds since the epoch. */
  readonly expires_at: number;
}

/** The tokens of one environment: `~/.tentacular/tokens/<env>.json`, mode 0600. */
export interface TokenStore {
  read(): Promise<StoredTokens | undefined>;
  write(tokens: StoredTokens): Promise<void>;
  remove(): Promise<void>;
  /** One process at a time. */
  locked<T>(work: () => Promise<T>): Promise<T>;
}

export function tokenStore({ home }: Terminal, environment: string): TokenStore {
  const path = join(home, '.tentacular/tokens', `${environment}.json`);
  return {
    async read() {
      const text = await readPrivate(path);
      return text === undefined ? undefined : (JSON.parse(text) as StoredTokens);
    },
    write: (tokens) => writePrivate(path, JSON.stringify(tokens, null, 2)),
    remove: () => rm(path, { force: true }),
    locked: (work) => withFileLock(`${path}.lock`, work),
  };
}
