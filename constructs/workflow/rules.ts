import { durationRule, parseDuration } from '../model/duration.ts';
import type { JsonValue } from '../model/json.ts';
import { isPrototypeName } from '../model/text.ts';
import type { Reader } from './reader.ts';

const identifier = /^[A-Za-z][-A-Za-z0-9_]{0,62}$/;

/** What nodes, dependencies and keys of secrets may be called, in words for error messages. */
export const identifierRule = 'at most 63 letters, digits, hyphens and underscores, a letter first';

/** True for a name of a node, a dependency, a service of secrets: harmless as a key, a file name, a log field. */
export function isIdentifier(name: string): boolean {
  return identifier.test(name) && !isPrototypeName(name);
}

/** Milliseconds of an optional duration field; a fault where it is none or out of range. */
export function durationOf(
  reader: Reader,
  value: JsonValue | undefined,
  path: string,
  { minMs, maxMs }: { readonly minMs: number; readonly maxMs: number },
): number | undefined {
  if (value === undefined) return undefined;
  const text = reader.text(value, path, { max: 64, allowed: durationRule });
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= minMs && ms <= maxMs) return ms;
  const allowed = ms === undefined ? durationRule : `${durationRule}, from ${minMs}ms to ${maxMs / 3_600_000}h`;
  reader.fault(path, ms === undefined ? 'is no duration' : 'is out of range', { found: text, allowed });
  return undefined;
}

/** An image reference with a tag or digest, or neither: `registry.example.com:5000/team/app:1.2@sha256:...`. */
const image =
  /^(?:(?:[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)*)(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

/** What an image may be, in words for error messages. */
export const imageRule =
  'an image reference like registry.example.com/team/app:1.2.3, with or without @sha256:<digest>';

export function isImage(text: string): boolean {
  return text.length <= 512 && image.test(text);
}
