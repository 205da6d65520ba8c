import { describe, expect, it } from 'vitest';
import { type Check, faultsOf, strangersOf } from './judge.ts';

const check = (id: string, status: Check['status'], errorMessage?: string): Check => ({
  id,
  status,
  ...(errorMessage === undefined ? {} : { errorMessage }),
});
const wire = check('wire-schema-valid', 'SUCCESS');
const good = check('good', 'SUCCESS');
const bad = check('bad', 'FAILURE', 'why');

/** A list of exceptions that nobody has to keep true excuses more with every year. */
describe('the list of expected failures', () => {
  it.each([
    ['passes, and is not listed', [good, wire], {}],
    ['passes beside checks that do not apply', [good, check('other', 'SKIPPED'), check('note', 'INFO')], {}],
    ['fails, and is listed', [bad, wire], { s: 'reason' }],
    ['checks nothing, and is listed', [check('note', 'INFO')], { s: 'reason' }],
    ['fails in the one check that is listed', [good, bad], { 's:bad': 'reason' }],
  ])('has nothing to say of a scenario that %s', (_what, checks, expected) => {
    expect(faultsOf('s', checks, expected)).toEqual([]);
  });

  it.each([
    ['fails, and is not listed', [good, bad], {}, 's:bad FAILURE: why'],
    ['is only warned of, and is not listed', [good, check('bad', 'WARNING', 'why')], {}, 's:bad WARNING: why'],
    [
      'fails in another check than the one listed',
      [bad, check('worse', 'FAILURE')],
      { 's:bad': 'r' },
      's:worse FAILURE',
    ],
    ['is listed, and passes', [good, wire], { s: 'r' }, 'take it off the list'],
    ['is listed as a whole, and passes in part', [good, bad], { s: 'r' }, 'list what fails'],
    ['is listed with a check that passes', [good, bad], { 's:bad': 'r', 's:good': 'r' }, 's:good is listed'],
    ['is listed with a check that is gone', [good], { 's:gone': 'r' }, 's:gone is listed'],
    [
      'breaks the schema on the wire, though it is listed',
      [bad, check('wire-schema-valid', 'FAILURE')],
      { s: 'r' },
      's:wire',
    ],
    ['was not run or checked nothing', [wire], {}, 'nothing was checked'],
  ])('has a fault where a scenario %s', (_what, checks, expected, message) => {
    expect(faultsOf('s', checks, expected)).toEqual([expect.stringContaining(message)]);
  });

  it('has a fault where an entry names no scenario of the suite', () => {
    expect(strangersOf(['s'], { s: 'r', 's:bad': 'r', gone: 'r', 'gone:bad': 'r' })).toEqual(['gone', 'gone:bad']);
  });
});
