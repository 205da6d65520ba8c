import { CronExpressionParser } from 'cron-parser';
import { type CronFields, cronShortcuts, parseCronFields } from './cron-fields.ts';
import { instantOfWall, isTimeZone, offsetAt } from './zone.ts';

/** A schedule that was understood. All instants are milliseconds since the Unix epoch. */
export interface Cron {
  /** As written. */
  readonly expression: string;
  /** IANA zone in which the fields are read; UTC where neither prefix nor `timezone` says one. */
  readonly timezone: string;
  /** True for `0 0 31 2 *` and its like: valid, and never due. */
  readonly neverFires: boolean;
  /** The first instant after `afterMs` at which it is due; undefined if there is none. */
  next(afterMs: number): number | undefined;
}

/** Why a text is no schedule: `message` names the field, `allowed` its range. */
export interface CronFault {
  readonly message: string;
  readonly found: string;
  readonly allowed: string;
}

export type CronResult =
  | { readonly cron: Cron; readonly fault?: never }
  | { readonly cron?: never; readonly fault: CronFault };

/** What a schedule may be, in words for error messages. */
export const cronRule =
  'five fields (minute 0-59, hour 0-23, day of month 1-31, month 1-12 or JAN-DEC, weekday 0-6 or SUN-SAT) with * ? , - /, an optional CRON_TZ=<zone> before them, @yearly, @monthly, @weekly, @daily, @hourly, or @every <duration of at least 10s>';

const zonePrefix = /^(?:CRON_)?TZ=(\S*)\s+(.*)$/;
const minEveryMs = 10_000;

/**
 * Reads what robfig/cron's standard parser reads (schedule.md) and nothing more: cron-parser alone would take
 * six fields, four fields, the empty text, weekday 7, `L`, `W` and `#` as well.
 * @param timezone IANA zone of the trigger; must be absent where the expression has a zone of its own.
 */
export function parseCron(expression: string, timezone?: string): CronResult {
  const text = expression.trim();
  const fail = (message: string, found: string = expression, allowed: string = cronRule): CronResult => ({
    fault: { message, found: found.slice(0, 120), allowed },
  });
  if (text.length > 256) return fail('the schedule is longer than 256 characters');
  if (text === '') return fail('the schedule is empty');
  const prefix = zonePrefix.exec(text);
  if (!prefix && /^(?:CRON_)?TZ=/.test(text)) return fail('the time zone prefix is not followed by a schedule');
  const zone = prefix?.[1] ?? timezone ?? 'UTC';
  const zoneRule = 'an IANA time zone like Europe/Berlin';
  if (prefix && timezone !== undefined) {
    return fail('the schedule has a time zone prefix, and the trigger a timezone', zone, 'one of the two');
  }
  if (!isTimeZone(zone)) return fail('the time zone is not known', zone, zoneRule);
  const body = (prefix?.[2] ?? text).trim();

  if (body.startsWith('@every')) {
    const everyMs = parseEvery(body.slice('@every'.length).trim());
    if (everyMs === undefined || !/^@every\s/.test(body)) {
      return fail('@every needs a duration', body, 'a Go duration of whole seconds, at least 10s, e.g. @every 90s');
    }
    return {
      cron: {
        expression,
        timezone: zone,
        neverFires: false,
        next: (after) => (Math.floor(after / everyMs) + 1) * everyMs,
      },
    };
  }
  const fields = parseCronFields(cronShortcuts[body] ?? body);
  if ('fault' in fields) return { fault: fields.fault };
  return { cron: cronOf({ expression, timezone: zone, fields: fields.fields }) };
}

const nanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const goDuration = /^(?:(?:\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})(?:ns|us|µs|μs|ms|s|m|h))+$/;

/** Milliseconds of a Go duration that is a whole number of seconds, at least 10; undefined otherwise. */
function parseEvery(text: string): number | undefined {
  if (text.length > 64 || !goDuration.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = nanoseconds[unit] ?? 0n;
    total += BigInt(whole || '0') * scale + (BigInt(fraction || '0') * scale) / 10n ** BigInt(fraction.length);
  }
  if (total % 1_000_000_000n !== 0n) return undefined;
  const ms = Number(total / 1_000_000n);
  return ms >= minEveryMs && Number.isSafeInteger(ms) ? ms : undefined;
}

interface FieldSchedule {
  readonly expression: string;
  readonly timezone: string;
  readonly fields: CronFields;
}

/** Longest stretch that a clock skips at once, as far as schedules here care. */
const maxShiftMs = 4 * 3_600_000;

// cron-parser walks the calendar in UTC, over wall times; which instant a wall time is, zone.ts decides.
// So the daylight saving rule is ours, and the same in every runtime.
function cronOf({ expression, timezone, fields }: FieldSchedule): Cron {
  if (fields.neverFires) return { expression, timezone, neverFires: true, next: () => undefined };
  const calendar = CronExpressionParser.parse(fields.text, { tz: 'UTC', currentDate: 0 });
  const nextWall = (wallMs: number): number => {
    calendar.reset(new Date(wallMs));
    return calendar.next().getTime();
  };
  const next = (afterMs: number): number => {
    if (timezone === 'UTC') return nextWall(afterMs);
    const offset = offsetAt(timezone, afterMs);
    const offsetBefore = offsetAt(timezone, afterMs - maxShiftMs);
    // Just behind a skipped stretch: what was due in it may still lie ahead, shifted.
    let wall = offsetBefore < offset ? nextWall(afterMs - maxShiftMs + offsetBefore) : nextWall(afterMs + offset);
    let best: number | undefined;
    for (;;) {
      const { instantMs, skipped } = instantOfWall(timezone, wall);
      if (instantMs > afterMs) best = Math.min(best ?? instantMs, instantMs);
      // A later wall time may still be the earlier instant, until the clock is past the shifted one.
      const settled = best !== undefined && (!skipped || wall >= best + offsetAt(timezone, best));
      if (best !== undefined && settled) return best;
      wall = nextWall(wall);
    }
  };
  return { expression, timezone, neverFires: false, next };
}
