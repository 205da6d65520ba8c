import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pageBudget, pageOf, textBudget, textPage, textWithin } from '../../../server/tools/page.ts';

const key = (row: { id: string }) => row.id;

function all(rows: { id: string }[], limit: number, descending = false): string[] {
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = pageOf(rows, key, { limit, cursor, descending });
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    seen.push(...page.rows.map(key));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  return seen;
}

describe('pages', () => {
  it('together they hold every row once, in order, rising and falling', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), fc.integer({ min: 1, max: 70 }), (ids, limit) => {
        const rows = ids.sort((a, b) => (a < b ? -1 : 1)).map((id) => ({ id }));
        expect(all(rows, limit)).toEqual(rows.map(key));
        const falling = rows.toReversed();
        expect(all(falling, limit, true)).toEqual(falling.map(key));
      }),
      { numRuns: 100 },
    );
  });

  it('rows that come and go between two pages neither repeat nor hide others', () => {
    const rows = ['a', 'b', 'c', 'd'].map((id) => ({ id }));
    const first = pageOf(rows, key, { limit: 2 });
    const changed = ['0', 'a', 'c', 'd', 'e'].map((id) => ({ id }));
    const next = pageOf(changed, key, { limit: 10, cursor: first.next_cursor });
    expect([...first.rows, ...next.rows].map(key)).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('a page stays within the budget even where limit would allow more, but always goes on', () => {
    const rows = Array.from({ length: 40 }, (_, index) => ({
      id: String(index).padStart(2, '0'),
      text: 'x'.repeat(9000),
    }));
    const page = pageOf(rows, key, { limit: 500 });
    expect(JSON.stringify(page.rows).length).toBeLessThanOrEqual(pageBudget + 2);
    expect(all(rows, 500)).toHaveLength(40);
    const huge = [
      { id: 'a', text: 'x'.repeat(pageBudget * 2) },
      { id: 'b', text: '' },
    ];
    expect(all(huge, 500)).toEqual(['a', 'b']);
  });

  it.each(['', 'x', 'e30', '!!!', Buffer.from('{"after":1}').toString('base64url'), 'W10'])(
    'a cursor that nobody gave is invalid_input: %s',
    (cursor) => {
      expect(() => pageOf([{ id: 'a' }], key, { limit: 1, cursor })).toThrow(
        expect.objectContaining({ code: 'invalid_input' }),
      );
    },
  );

  it('a long text comes in pages that join to the whole, and a cursor of another text is refused', () => {
    const text = Array.from({ length: 9000 }, (_, index) => `line "${index}"\n\t\u0001`).join('');
    let joined = '';
    let cursor: string | undefined;
    do {
      const page = textPage(text, cursor);
      expect(JSON.stringify(page.text).length).toBeLessThanOrEqual(textBudget);
      joined += page.text;
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(joined).toBe(text);
    const other = textPage(text, undefined).next_cursor;
    expect(() => textPage(`${text}!`, other)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  it.each(['abc', '-5', '1e3', '', '1.5', '999999999', '10000000000'])(
    'a position that nobody gave is invalid_input, not an empty or another page: %s',
    (offset) => {
      const text = 'line\n'.repeat(20_000);
      const given = Buffer.from(textPage(text, undefined).next_cursor ?? '', 'base64url').toString();
      const forged = Buffer.from(given.replace(/:\d+"/, `:${offset}"`)).toString('base64url');
      expect(() => textPage(text, forged)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    },
  );

  it('a cut never splits a character, which another language could not decode', () => {
    const text = '😀'.repeat(1000);
    for (let characters = 2; characters < 60; characters += 1) {
      const part = textWithin(text, characters);
      expect(part.isWellFormed()).toBe(true);
      expect(JSON.stringify(part).length).toBeLessThanOrEqual(characters);
    }
  });
});
