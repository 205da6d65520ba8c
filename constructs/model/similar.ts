/** Most edits between a word and what is suggested for it: beyond that it is another word. */
const maxEdits = 4;

/** Edit distance of two words (insert, delete, replace, swap of neighbours), given up above `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    // Only near the diagonal: elsewhere the distance is above the limit.
    const row = Array<number>(b.length + 1).fill(limit + 1);
    if (i <= limit) row[0] = i;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      row[j] = best;
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit + 1;
}

/** The candidate that `word` was probably meant to be, or undefined if none is close. */
export function closest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const plain = word.toLowerCase().replaceAll(/[-_]/g, '');
  let best: { name: string; score: number } | undefined;
  for (const name of candidates) {
    const target = name.toLowerCase().replaceAll(/[-_]/g, '');
    const limit = target.length < 3 ? 0 : Math.min(maxEdits, Math.max(1, Math.floor(target.length / 3)));
    const score = distance(plain, target, limit);
    if (score <= limit && (best === undefined || score < best.score)) best = { name, score };
  }
  return best?.name;
}

/** `did you mean "schedule"?`, or undefined if nothing is close. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  const name = closest(word, candidates);
  return name === undefined ? undefined : `did you mean ${JSON.stringify(name)}?`;
}
