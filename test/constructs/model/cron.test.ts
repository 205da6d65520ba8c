import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Cron, parseCron } from '../../../constructs/model/cron.ts';

function cron(expression: string, timezone?: string): Cron {
  const { cron: parsed, fault } = parseCron(expression, timezone);
  if (!parsed) throw new Error(JSON.stringify(fault));
  return parsed;
}

/** The next `count` instants after `from`, as ISO text to the minute. */
function fires(schedule: Cron, from: string, count: number): string[] {
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count) {
    at = schedule.next(at);
    if (at === undefined) return [...found, 'never'];
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe('schedules are what robfig/cron reads', () => {
  it.each([
    ['0 9 * * MON-FRI', ['2026-01-01T09:00', '2026-01-02T09:00', '2026-01-05T09:00']],
    ['*/20 8-9 1 jan ?', ['2026-01-01T08:00', '2026-01-01T08:20', '2026-01-01T08:40']],
    ['5/25 0 * * *', ['2026-01-01T00:05', '2026-01-01T00:30', '2026-01-01T00:55']],
    ['0 0 1-7/3 * *', ['2026-01-04T00:00', '2026-01-07T00:00', '2026-02-01T00:00']],
    ['@yearly', ['2027-01-01T00:00']],
    ['@weekly', ['2026-01-04T00:00']],
    ['@hourly', ['2026-01-01T01:00']],
    ['0 0 29 2 *', ['2028-02-29T00:00', '2032-02-29T00:00']],
  ])('%s', (expression, expected) => {
    expect(fires(cron(expression), '2026-01-01T00:00:00Z', expected.length)).toEqual(expected);
  });

  it.each([
    ['0 0 13 * 5', ['2026-01-02', '2026-01-09', '2026-01-13', '2026-01-16']],
    ['0 0 */10 * 1', ['2026-01-05', '2026-01-11', '2026-01-12', '2026-01-19']],
    ['0 0 1-31 * 1', ['2026-01-02', '2026-01-03', '2026-01-04', '2026-01-05']],
    ['0 0 31 2 1', ['2026-02-02', '2026-02-09', '2026-02-16', '2026-02-23']],
    ['0 0 * * 1', ['2026-01-05', '2026-01-12', '2026-01-19', '2026-01-26']],
  ])('day of month and weekday both restricted: either (%s)', (expression, expected) => {
    expect(fires(cron(expression), '2026-01-01T00:00:00Z', 4).map((text) => text.slice(0, 10))).toEqual(expected);
  });

  it('a day that no month has is valid and never due', () => {
    expect(cron('0 0 31 2 *').neverFires).toBe(true);
    expect(cron('0 0 31 2 *').next(0)).toBeUndefined();
    expect(cron('0 0 31 4,6,9,11 ?').neverFires).toBe(true);
  });

  it('@every fires at multiples since the epoch, so that every replica agrees', () => {
    expect(fires(cron('@every 90m'), '2026-01-01T00:10:00Z', 2)).toEqual(['2026-01-01T01:30', '2026-01-01T03:00']);
    const period = cron('@every 1.5h');
    expect(period.next(5_400_000 * 7)).toBe(5_400_000 * 8);
    expect(period.next(5_400_000 * 7 - 1)).toBe(5_400_000 * 7);
  });

  it.each([
    ['', /empty/],
    ['   ', /empty/],
    ['* * * *', /4 fields/],
    ['* * * * * *', /6 fields/],
    ['60 * * * *', /minute/],
    ['* 24 * * *', /hour/],
    ['* * 0 * *', /day of month/],
    ['* * * 13 *', /month/],
    ['* * * * 7', /weekday/],
    ['* * L * *', /day of month/],
    ['* * 15W * *', /day of month/],
    ['* * * * 1#2', /weekday/],
    ['* * * * MONDAY', /weekday/],
    ['5-1 * * * *', /minute/],
    ['*/0 * * * *', /minute/],
    ['1,,2 * * * *', /minute/],
    ['1-2-3 * * * *', /minute/],
    ['-1 * * * *', /minute/],
    ['@reboot', /1 fields/],
    ['@constructor', /1 fields/],
    ['@every 9s', /duration/],
    ['@every 10500ms', /duration/],
    ['@every -1h', /duration/],
    ['@every10s', /duration/],
    ['CRON_TZ=Mars/Base 0 0 * * *', /zone/],
    ['CRON_TZ=+02:00 0 0 * * *', /zone/],
    ['TZ=UTC', /prefix/],
    [`${'1,'.repeat(200)}1 * * * *`, /longer/],
  ])('%j is refused, and the field is named', (expression, message) => {
    expect(parseCron(expression).fault?.message).toMatch(message);
    expect(parseCron(expression).fault?.allowed).not.toBe('');
  });

  it('a zone in the expression and one of the trigger together are refused', () => {
    expect(parseCron('TZ=UTC 0 0 * * *', 'Europe/Berlin').fault?.allowed).toBe('one of the two');
    expect(fires(cron('CRON_TZ=Asia/Tokyo 0 8 * * *'), '2026-01-01T00:00:00Z', 1)).toEqual(['2026-01-01T23:00']);
  });
});

describe('daylight saving', () => {
  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', ['2026-03-29T01:30', '2026-03-30T00:30']],
    ['0 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', ['2026-03-29T01:00', '2026-03-29T02:00']],
    [
      '0,20,40 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T15:00:00Z',
      ['2026-10-03T15:30', '2026-10-03T15:40', '2026-10-03T15:50', '2026-10-04T15:00'],
    ],
  ])('a time that the clock skips fires once, shifted (%s in %s)', (expression, zone, from, expected) => {
    expect(fires(cron(expression, zone), from, expected.length)).toEqual(expected);
  });

  it('a shifted time is not lost to whoever asks just before it', () => {
    expect(fires(cron('30 2 * * *', 'Europe/Berlin'), '2026-03-29T01:10:00Z', 1)).toEqual(['2026-03-29T01:30']);
  });

  it.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['0 * * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', ['2026-10-25T00:00', '2026-10-25T02:00']],
    ['30 1 * * *', 'America/New_York', '2026-11-01T00:00:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']],
  ])('a time that it repeats fires once, the first time (%s in %s)', (expression, zone, from, expected) => {
    expect(fires(cron(expression, zone), from, expected.length)).toEqual(expected);
  });
});

describe('any schedule', () => {
  const set = (min: number, max: number): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constant('*'),
      fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 3 }).map((values) => values.join(',')),
      fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    );

  it('agrees, minute by minute, with reading the fields of the clock', () => {
    fc.assert(
      fc.property(
        set(0, 59),
        set(0, 23),
        set(1, 28),
        set(1, 12),
        set(0, 6),
        fc.integer({ min: 0, max: 1_000_000 }),
        (m, h, dom, mon, dow, minute) => {
          const start = Date.UTC(2026, 0, 1) + minute * 60_000;
          const next = cron(`${m} ${h} ${dom} ${mon} ${dow}`).next(start) ?? Number.POSITIVE_INFINITY;
          const horizon = Math.min(next, start + 2 * 86_400_000);
          for (let at = start + 60_000; at < horizon; at += 60_000)
            expect(matches(at, [m, h, dom, mon, dow])).toBe(false);
          if (next < Number.POSITIVE_INFINITY) expect(matches(next, [m, h, dom, mon, dow])).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('in any zone moves forward', () => {
    const zones = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
      'America/St_Johns',
      'Pacific/Apia',
    );
    fc.assert(
      fc.property(set(0, 59), set(0, 23), zones, fc.integer({ min: 0, max: 20_000 }), (m, h, zone, hours) => {
        const schedule = cron(`${m} ${h} * * *`, zone);
        let at = Date.UTC(2025, 0, 1) + hours * 3_600_000;
        for (let count = 0; count < 30; count += 1) {
          const next = schedule.next(at) ?? 0;
          expect(next).toBeGreaterThan(at);
          expect(next - at).toBeLessThanOrEqual(49 * 3_600_000);
          at = next;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is read or refused, never more', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const { cron: parsed, fault } = parseCron(text);
        expect(parsed === undefined).toBe(fault !== undefined);
      }),
    );
  });
});

function matches(at: number, [m, h, dom, mon, dow]: readonly [string, string, string, string, string]): boolean {
  const date = new Date(at);
  const inSet = (field: string, value: number, min: number): boolean => {
    if (field === '*') return true;
    if (field.startsWith('*/')) return (value - min) % Number(field.slice(2)) === 0;
    return field.split(',').map(Number).includes(value);
  };
  const day = inSet(dom, date.getUTCDate(), 1);
  const weekday = inSet(dow, date.getUTCDay(), 0);
  const onDay = dom === '*' || dow === '*' ? day && weekday : day || weekday;
  return (
    inSet(m, date.getUTCMinutes(), 0) &&
    inSet(h, date.getUTCHours(), 0) &&
    inSet(mon, date.getUTCMonth() + 1, 1) &&
    onDay
  );
}
