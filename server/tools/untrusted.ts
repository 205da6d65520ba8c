import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';

/**
 * Text that a workflow, a container or another program wrote: log lines, events, annotations, outputs. It goes into
 * typed fields only, without anything that moves a cursor, hides characters or reorders them, and capped.
 */

// ANSI escape sequences as a whole: CSI, OSC, and those of two characters.
const escapeSequences = new RegExp(
  ['\\u001b\\[[0-?]*[ -/]*[@-~]', '\\u001b\\][^\\u0007\\u001b]*(?:\\u0007|\\u001b\\\\)', '\\u001b[@-Z\\\\-_]'].join(
    '|',
  ),
  'g',
);
/** Control (but tab and line feed), format (zero-width, direction marks, tags), line and paragraph separators. */
const hidden = /(?![\t\n])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Longest of each kind of text, in characters. */
export const textLimits = { line: 2000, message: 1000, field: 253 } as const;

/** Clean text of at most `limit` characters; a cut is marked with an ellipsis. */
export function cleanText(text: string, limit: number = textLimits.message): string {
  // Cut before the costly part, with room for what is taken out: a line may be megabytes long.
  const head = text.length > limit * 8 ? text.slice(0, limit * 8) : text;
  const clean = head.replace(escapeSequences, '').replace(hidden, '').toWellFormed();
  if (clean.length <= limit && head === text) return clean;
  return `${clean.slice(0, limit - 1).toWellFormed()}…`;
}

/** Deepest level of a value that is shown; what lies deeper is an ellipsis. Whoever reads a reply recurses too. */
const maxShownDepth = 100;

/** A JSON value with every string in it cleaned, keys too. Bounded by the size of what came in, and in its depth. */
export function cleanJson(value: JsonValue, limit: number, depth = 0): JsonValue {
  if (typeof value === 'string') return cleanText(value, limit);
  if (typeof value === 'object' && value !== null && depth >= maxShownDepth) return '…';
  if (Array.isArray(value)) return value.map((item) => cleanJson(item, limit, depth + 1));
  if (!isJsonObject(value)) return value;
  const clean: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    // Defined, not assigned: a key called __proto__ stays data.
    Object.defineProperty(clean, cleanText(key, textLimits.field), {
      value: item === undefined ? null : cleanJson(item, limit, depth + 1),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return clean;
}
