import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../../constructs/model/json.ts';
import { cleanJson, cleanText } from '../../../server/tools/untrusted.ts';

describe('text that others wrote', () => {
  it.each([
    ['colour and cursor sequences', '\u001b[31mred\u001b[0m\u001b[2J', 'red'],
    ['a title sequence', '\u001b]0;title\u0007text', 'text'],
    ['control characters', 'a\u0000b\u0008c\u007fd\u0085e', 'abcde'],
    ['carriage returns that overwrite', 'safe\rEVIL', 'safeEVIL'],
    ['zero-width and direction marks', 'a\u200bb\u202ec\u2066d\ufeffe', 'abcde'],
    ['letters hidden as tags', `a${String.fromCodePoint(0xe0041, 0xe0042)}b`, 'ab'],
    ['half a pair', 'a\ud800b', 'a\ufffdb'],
    ['what is meant to be seen', 'tab\tline\nünïcödé 😀', 'tab\tline\nünïcödé 😀'],
  ])('%s', (_what, text, clean) => {
    expect(cleanText(text, 100)).toBe(clean);
  });

  it('is never longer than its limit, well-formed, and free of what is hidden', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 1, max: 60 }), (text, limit) => {
        const clean = cleanText(text, limit);
        expect(clean.length).toBeLessThanOrEqual(limit);
        expect(clean.isWellFormed()).toBe(true);
        expect(clean).not.toMatch(/(?![\t\n])[\p{Cc}\p{Cf}]/u);
      }),
    );
  });

  it('is cut before it is searched: megabytes cost nothing', () => {
    const started = performance.now();
    expect(cleanText('\u001b]'.repeat(5_000_000), 100).length).toBeLessThanOrEqual(100);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('JSON is cleaned in keys and values, and a key __proto__ stays data', () => {
    const value = JSON.parse('{"a\\u200b":["\\u001b[1mx",1,null,true],"__proto__":{"polluted":true}}');
    const clean = cleanJson(value, 100);
    expect(JSON.stringify(clean)).toBe('{"a":["x",1,null,true],"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('a value nested without end is shown to a depth, and overflows nothing', () => {
    const deep: JsonValue = JSON.parse(`${'{"a":['.repeat(50_000)}1${']}'.repeat(50_000)}`);
    const text = JSON.stringify(cleanJson(deep, 100));
    expect(text).toContain('"…"');
    expect(text.length).toBeLessThan(1000);
    expect(cleanJson([[['x']]], 100)).toEqual([[['x']]]);
  });
});
