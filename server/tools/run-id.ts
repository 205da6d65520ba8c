import { createHash } from 'node:crypto';
import type { Principal } from '../../constructs/model/principal.ts';

/** Longest beginning of a key that an id shows: with what follows it an id still has at most 128 characters. */
const maxShownKey = 110;

/**
 * The run that an idempotency key of this caller means. Of two callers with the same key each has his own run: who
 * guesses the key of somebody else neither gets his result nor takes his place. A bearer token is nobody's: its keys
 * are ids as they are.
 */
export function runIdOf(key: string, principal: Principal): string {
  if (principal.kind === 'token') return key;
  const digest = createHash('sha256')
    .update(JSON.stringify([principal.sub, key]))
    .digest('hex');
  return `${key.slice(0, maxShownKey)}.${digest.slice(0, 16)}`;
}
