import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutText, jsonTextOf, maxJsonDepth } from '../../../engine/run/json-value.ts';

const limit = 1000;

describe('what a node may return', () => {
  it('any JSON value comes back as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const json = jsonTextOf(value, 10_000_000);
        expect(json.ok && JSON.parse(json.text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('whatever it is, the answer is a text or a reason, never an exception', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withMap: true, withSet: true, withTypedArray: true }), (value) => {
        const json = jsonTextOf(value, limit);
        if (json.ok) expect(() => JSON.parse(json.text)).not.toThrow();
        else expect(json.reason).not.toBe('');
      }),
    );
  });

  it('toJSON is honoured, absent properties are left out, undefined is null', () => {
    const value = { at: new Date(0), url: new URL('https://example.com/a'), none: undefined, list: [undefined] };
    expect(jsonTextOf(value, limit)).toMatchObject({
      text: '{"at":"1970-01-01T00:00:00.000Z","url":"https://example.com/a","list":[null]}',
    });
    expect(jsonTextOf(undefined, limit)).toEqual({ ok: true, text: 'null', bytes: 4 });
  });

  it.each([
    [{ a: { b: 10n } }, 'at a.b is a bigint; JSON has no such value'],
    [[Symbol('x')], 'at [0] is a symbol; JSON has no such value'],
    [{ a: [1, Number.POSITIVE_INFINITY] }, 'at a[1] is Infinity; JSON has no such value'],
    [new Set([1]), 'as a whole is a Set; JSON has no such value'],
    [{ bytes: new Uint8Array(2) }, 'at bytes is a Uint8Array; JSON has no such value'],
    [{ error: new Error('x') }, 'at error is an Error (throw it instead); JSON has no such value'],
    [{ answer: Promise.resolve(1) }, 'at answer is a Promise; JSON has no such value'],
  ])('%o is refused with the place', (value, reason) => {
    expect(jsonTextOf(value, limit)).toEqual({ ok: false, reason });
  });

  it('a cycle is refused, the same object in two places is not', () => {
    const shared = { x: 1 };
    expect(jsonTextOf({ a: shared, b: [shared] }, limit)).toMatchObject({ text: '{"a":{"x":1},"b":[{"x":1}]}' });
    const cycle: { inner: { back?: unknown } } = { inner: {} };
    cycle.inner.back = cycle;
    expect(jsonTextOf(cycle, limit)).toEqual({
      ok: false,
      reason: 'at inner.back refers to itself; JSON cannot say that',
    });
  });

  it('depth is bounded, so that a tower of arrays cannot exhaust the stack', () => {
    expect(jsonTextOf(JSON.parse('['.repeat(maxJsonDepth) + ']'.repeat(maxJsonDepth)), limit).ok).toBe(true);
    const tower: unknown = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000));
    expect(jsonTextOf(tower, limit)).toEqual({ ok: false, reason: 'is nested deeper than 100 levels' });
  });

  it('size is counted in bytes, not in characters', () => {
    expect(jsonTextOf('ä'.repeat(499), limit).ok).toBe(true);
    expect(jsonTextOf('ä'.repeat(500), limit)).toEqual({
      ok: false,
      reason: 'has 1002 bytes as JSON; at most 1000 are allowed',
    });
  });

  it('a getter that throws costs the output, not the engine', () => {
    const value = {
      get bad(): never {
        throw new Error('mine');
      },
    };
    expect(jsonTextOf(value, limit)).toEqual({ ok: false, reason: 'cannot be read: mine' });
  });
});

describe('cutting a text', () => {
  it('never within a character, never above the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, max) => {
        const { text: kept, cut } = cutText(text, max);
        expect(new TextEncoder().encode(kept).byteLength).toBeLessThanOrEqual(max);
        expect(text.toWellFormed().startsWith(kept)).toBe(true);
        expect(cut).toBe(kept !== text.toWellFormed());
      }),
    );
  });
});
