const units = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const;

/** How long ago, in at most two units: `3d4h`, `12m5s`, `0s`. Empty where the time is unknown. */
export function ageOf(timestamp: string | undefined, now: number): string {
  const then = Date.parse(timestamp ?? '');
  if (Number.isNaN(then)) return '';
  let rest = Math.max(0, Math.floor((now - then) / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of units) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join('') || '0s';
}
