/** The five fields as sets, and as a text that cron-parser reads the way robfig/cron means it. */
export interface CronFields {
  /** Six fields, seconds first, only numbers, commas and `*`. */
  readonly text: string;
  readonly neverFires: boolean;
}

export interface FieldFault {
  readonly message: string;
  readonly found: string;
  readonly allowed: string;
}

interface FieldRule {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
  readonly allowed: string;
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const minute: FieldRule = { name: 'minute', min: 0, max: 59, allowed: '0-59' };
const hour: FieldRule = { name: 'hour', min: 0, max: 23, allowed: '0-23' };
const dayOfMonth: FieldRule = { name: 'day of month', min: 1, max: 31, allowed: '1-31' };
const month: FieldRule = { name: 'month', min: 1, max: 12, names: months, allowed: '1-12 or JAN-DEC' };
const weekday: FieldRule = {
  name: 'weekday',
  min: 0,
  max: 6,
  names: weekdays,
  allowed: '0-6 or SUN-SAT (Sunday is 0)',
};

/** `@daily` and the like, each as its five fields. */
export const cronShortcuts: Readonly<Record<string, string>> = Object.assign(
  Object.create(null) as Record<string, string>,
  {
    '@yearly': '0 0 1 1 *',
    '@annually': '0 0 1 1 *',
    '@monthly': '0 0 1 * *',
    '@weekly': '0 0 * * 0',
    '@daily': '0 0 * * *',
    '@midnight': '0 0 * * *',
    '@hourly': '0 * * * *',
  },
);

interface Field {
  readonly values: readonly number[];
  /** True where the field restricts nothing and says so with `*` or `?`: what decides between "both" and "either". */
  readonly star: boolean;
}

/** The sets of the five fields, or which field is wrong and what it may hold. */
export function parseCronFields(text: string): { readonly fields: CronFields } | { readonly fault: FieldFault } {
  const parts = text.split(/\s+/);
  if (parts.length !== 5) {
    const allowed = 'minute, hour, day of month, month, weekday; or @daily, @every 90s and the like';
    return {
      fault: { message: `the schedule has ${parts.length} fields, not five`, found: text.slice(0, 120), allowed },
    };
  }
  const [m = '', h = '', dom = '', mon = '', dow = ''] = parts;
  const sets: Field[] = [];
  for (const [part, rule] of [
    [m, minute],
    [h, hour],
    [dom, dayOfMonth],
    [mon, month],
    [dow, weekday],
  ] as const) {
    const field = parseField(part, rule);
    if (!field) {
      const allowed = `${rule.allowed}, *, ?, lists (1,2), ranges (1-5) and steps (*/5)`;
      return { fault: { message: `the field ${rule.name} is wrong`, found: part.slice(0, 60), allowed } };
    }
    sets.push(field);
  }
  const [minutes, hours, days, monthSet, weekdaySet] = sets;
  if (!minutes || !hours || !days || !monthSet || !weekdaySet) throw new RangeError('five fields expected');
  return { fields: combine({ minutes, hours, days, months: monthSet, weekdays: weekdaySet }) };
}

function parseField(text: string, rule: FieldRule): Field | undefined {
  const values = new Set<number>();
  let star = false;
  for (const item of text.split(',')) {
    const [range = '', stepText, ...more] = item.split('/');
    if (more.length > 0 || (stepText !== undefined && !/^\d{1,3}$/.test(stepText))) return undefined;
    const step = stepText === undefined ? 1 : Number(stepText);
    const open = range === '*' || range === '?';
    const [fromText = '', toText, ...rest] = open ? [String(rule.min), String(rule.max)] : range.split('-');
    const from = parseValue(fromText, rule);
    const to = toText === undefined ? (stepText === undefined ? from : rule.max) : parseValue(toText, rule);
    if (rest.length > 0 || step < 1 || from === undefined || to === undefined || from > to) return undefined;
    if (open && step === 1) star = true;
    for (let value = from; value <= to; value += step) values.add(value);
  }
  return { values: [...values].sort((a, b) => a - b), star };
}

function parseValue(text: string, { min, max, names }: FieldRule): number | undefined {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  if (index >= 0) return index + min;
  if (!/^\d{1,3}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

interface Sets {
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

const longestMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function combine({ minutes, hours, days, months: inMonths, weekdays: onWeekdays }: Sets): CronFields {
  const firstDay = days.values[0] ?? 1;
  const dayExists = inMonths.values.some((value) => firstDay <= (longestMonth[value - 1] ?? 31));
  // Both restricted: a day is due if either matches.
  const either = !days.star && !onWeekdays.star;
  let dayText = days.star ? '*' : days.values.join(',');
  let weekdayText = onWeekdays.star ? '*' : onWeekdays.values.join(',');
  if (either && (days.values.length === 31 || onWeekdays.values.length === 7)) {
    dayText = '*';
    weekdayText = '*';
  }
  // cron-parser refuses a day that no month of the set has; in an "either" the weekday alone is left.
  if (either && !dayExists) dayText = '*';
  const fields = ['0', minutes, hours].map((field) => (typeof field === 'string' ? field : field.values.join(',')));
  const text = [...fields, dayText, inMonths.values.join(','), weekdayText].join(' ');
  return { text, neverFires: !dayExists && !either };
}
