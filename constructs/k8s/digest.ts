import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../model/json.ts';

/** sha256 in hexadecimal over the canonical JSON of a value: equal values, equal digests. */
export function digestOf(value: JsonValue): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
