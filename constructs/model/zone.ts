const formatters = new Map<string, Intl.DateTimeFormat>();
/** There are some 600 IANA zones; names that are none never get in. */
const maxFormatters = 1000;

function formatterOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = formatters.get(zone);
  if (known) return known;
  // `+02:00` is a fixed offset that Intl takes as well; a schedule wants a place, with its daylight saving.
  if (!/^[A-Za-z][-A-Za-z0-9_+/]{0,63}$/.test(zone)) return undefined;
  try {
    const formatter = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    if (formatters.size < maxFormatters) formatters.set(zone, formatter);
    return formatter;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** True for a zone of the IANA database that this runtime knows, e.g. `Europe/Berlin`, `UTC`. */
export function isTimeZone(zone: string): boolean {
  return formatterOf(zone) !== undefined;
}

/** Milliseconds by which the wall clock of a zone is ahead of UTC at an instant. The zone must be known. */
export function offsetAt(zone: string, instantMs: number): number {
  if (zone === 'UTC') return 0;
  const formatter = formatterOf(zone);
  if (!formatter) throw new RangeError(`unknown time zone ${zone}`);
  const part: Record<string, number> = {};
  for (const { type, value } of formatter.formatToParts(instantMs)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1000) * 1000;
}

/**
 * The instant at which a zone's clock shows `wallMs` (a wall time written as if it were UTC). A time that the
 * clock shows twice is the first; one that it skips is as much later as the clock skips.
 */
export function instantOfWall(zone: string, wallMs: number): { readonly instantMs: number; readonly skipped: boolean } {
  const dayMs = 86_400_000;
  const before = offsetAt(zone, wallMs - dayMs);
  const after = offsetAt(zone, wallMs + dayMs);
  const candidates = before === after ? [before] : [before, after];
  const fitting = candidates
    .map((offset) => wallMs - offset)
    .filter((instant) => instant + offsetAt(zone, instant) === wallMs);
  if (fitting.length > 0) return { instantMs: Math.min(...fitting), skipped: false };
  return { instantMs: wallMs - before, skipped: true };
}
