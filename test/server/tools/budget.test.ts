import { describe, expect, it } from 'vitest';
import { wfApply } from '../../../server/api/apply.ts';
import { diffEntries } from '../../../server/tools/diff-entries.ts';
import { warningRows } from '../../../server/tools/warnings.ts';

const quoted = '"\\'.repeat(20_000);

describe('what is told beside the rows of a reply', () => {
  it('diffs share one budget, counted as JSON; what was cut says so, and no object is left out', () => {
    const objects = Array.from({ length: 100 }, (_, index) => ({
      kind: 'ConfigMap',
      name: String(index),
      object: `ConfigMap/e/${index}`,
      action: 'update' as const,
      diff: index === 0 ? '-a\n+b\n' : quoted,
    }));
    const rows = diffEntries(objects);
    expect(rows).toHaveLength(100);
    expect(rows[0]).toEqual({ object: 'ConfigMap/e/0', action: 'update', diff: '-a\n+b\n' });
    expect(rows.slice(1).every(({ truncated }) => truncated === true)).toBe(true);
    const characters = rows.reduce((sum, { diff }) => sum + JSON.stringify(diff).length, 0);
    expect(characters).toBeGreaterThan(20_000);
    expect(characters).toBeLessThanOrEqual(24_000 + 2 * rows.length);
  });

  it('credentials are for as many services as a contract can name, so that a reply can name them all', () => {
    const apply = (services: number) =>
      wfApply.input.safeParse({
        enclave: 'e',
        secrets: Object.fromEntries(Array.from({ length: services }, (_, index) => [`service-${index}`, {}])),
      }).success;
    expect(apply(100)).toBe(true);
    expect(apply(101)).toBe(false);
  });

  it('warnings are cleaned and bounded, and how many are missing is told', () => {
    expect(warningRows([])).toEqual([]);
    expect(warningRows(['field was left to evil\u001b[2J\u202e'])).toEqual(['field was left to evil']);
    const rows = warningRows(Array.from({ length: 200 }, () => quoted));
    expect(JSON.stringify(rows).length).toBeLessThan(7000);
    expect(rows.at(-1)).toBe(`${200 - (rows.length - 1)} more warnings were left out`);
  });
});
