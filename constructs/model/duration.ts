/** What a duration may be, in words for error messages. */
export const durationRule = 'a duration like 500ms, 30s, 5m or 1h30m';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const durationPattern = /^(?:\d{1,9}(?:ms|s|m|h))+$/;
const partPattern = /(\d+)(ms|s|m|h)/g;

/** Milliseconds of a duration as Go writes it, without fractions (`1h30m`, `500ms`), or undefined if it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 64 || !durationPattern.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(partPattern))
    total += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
  return Number.isSafeInteger(total) ? total : undefined;
}
