import { createHash } from 'node:crypto';
import { invalidInput, type TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject } from '../../constructs/model/json.ts';

/** Characters of JSON that the rows of one reply may take; the rest of a reply fits beside them. */
export const pageBudget = 40_000;

/** The same for one page of a text; more is left beside it: names, warnings, the nodes of a run. */
export const textBudget = 30_000;

export interface PageRequest {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Whether keys fall from row to row. Default false. */
  readonly descending?: boolean;
}

export interface Page<T> {
  readonly rows: T[];
  readonly next_cursor?: string;
}

/**
 * The rows after the cursor, as many as `limit` and the budget allow. Rows come sorted by a unique key, and the cursor
 * is the key of the last row given, so rows that come and go between two pages neither repeat nor hide others.
 */
export function pageOf<T>(rows: readonly T[], keyOf: (row: T) => string, request: PageRequest): Page<T> {
  const after = request.cursor === undefined ? undefined : readCursor(request.cursor, 'after');
  const rest = after === undefined ? rows : rows.filter((row) => isAfter(keyOf(row), after, request.descending));
  const page: T[] = [];
  let used = 0;
  for (const row of rest) {
    used += JSON.stringify(row).length + 1;
    if (page.length === request.limit || (page.length > 0 && used > pageBudget)) break;
    page.push(row);
  }
  const last = page.at(-1);
  if (last === undefined || page.length === rest.length) return { rows: page };
  return { rows: page, next_cursor: writeCursor({ after: keyOf(last) }) };
}

/** The first rows that fit into so many characters of JSON: for lists inside a reply that have no pages. */
export function rowsWithin<T>(rows: readonly T[], characters: number): T[] {
  let used = 0;
  return rows.filter((row) => {
    used += JSON.stringify(row).length + 1;
    return used <= characters;
  });
}

/**
 * One page of a long text, at most `textBudget` characters as JSON. A cursor counts only for the very text that it came
 * with.
 */
export function textPage(text: string, cursor: string | undefined): { text: string; next_cursor?: string } {
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16);
  let from = 0;
  if (cursor !== undefined) {
    const [of, offset = ''] = readCursor(cursor, 'text').split(':');
    if (of !== digest) throw badCursor('belongs to another text: the source or the cluster has changed');
    from = /^\d{1,9}$/.test(offset) ? Number(offset) : text.length;
    if (from >= text.length) throw badCursor('is not one that this tool gave');
  }
  const page = { text: textWithin(text.slice(from, from + textBudget), textBudget) };
  const end = from + page.text.length;
  return end < text.length ? { ...page, next_cursor: writeCursor({ text: `${digest}:${end}` }) } : page;
}

/** The beginning of a text that takes at most so many characters as JSON; never half a character. */
export function textWithin(text: string, characters: number): string {
  let part = text;
  while (part !== '' && JSON.stringify(part).length > characters) part = part.slice(0, Math.floor(part.length * 0.8));
  const cut = /[\ud800-\udbff]$/.test(part) && part.length > 1;
  return cut ? part.slice(0, -1) : part;
}

function isAfter(key: string, last: string, descending = false): boolean {
  return descending ? key < last : key > last;
}

function writeCursor(content: { after: string } | { text: string }): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

function readCursor(cursor: string, field: 'after' | 'text'): string {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw badCursor('is not one that this tool gave');
  }
  const value = isJsonObject(content) ? content[field] : undefined;
  if (typeof value !== 'string') throw badCursor('is not one that this tool gave');
  return value;
}

function badCursor(message: string): TentacularError {
  return invalidInput('The cursor', [{ path: 'cursor', message, hint: 'leave it out to start from the first page' }]);
}
