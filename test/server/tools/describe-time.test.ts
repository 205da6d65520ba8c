import { expect, it } from 'vitest';
import { ageOf } from '../../../server/tools/describe-time.ts';

const now = Date.parse('2026-07-28T12:00:00Z');

it.each([
  ['2026-07-28T12:00:00Z', '0s'],
  ['2026-07-28T11:59:01Z', '59s'],
  ['2026-07-28T11:47:55Z', '12m5s'],
  ['2026-07-28T11:00:00Z', '1h'],
  ['2026-07-25T08:00:00Z', '3d4h'],
  ['2026-07-25T11:59:30Z', '3d'],
  ['2026-07-28T13:00:00Z', '0s'],
  ['no time', ''],
  [undefined, ''],
])('the age since %s is %s', (timestamp, age) => {
  expect(ageOf(timestamp, now)).toBe(age);
});
