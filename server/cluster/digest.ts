import { createHash } from 'node:crypto';
import { canonicalJson, type JsonValue } from '../../constructs/model/json.ts';

/** sha256 (hex) over a JSON value in canonical form. */
export function digestOf(value: JsonValue): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}
