import type { ToolOutput } from '../api/tools.ts';
import type { ObjectDiff } from '../cluster/index.ts';
import { cleanText } from './untrusted.ts';

type Entry = NonNullable<ToolOutput<'wf_apply'>['diff']>[number];

/** Characters that the diffs of one reply may have in all, and one of them. */
const maxAll = 30_000;
const maxOne = 12_000;

/** Diffs as rows of a reply; what is too long is cut and says so. */
export function diffEntries(objects: readonly ObjectDiff[]): Entry[] {
  let left = maxAll;
  return objects.map(({ object, action, diff }) => {
    if (diff === undefined) return { object, action };
    const limit = Math.min(maxOne, Math.max(0, left));
    const text = cleanText(diff, limit === 0 ? 1 : limit);
    // JSON writes a line feed and a quote as two characters each.
    left -= JSON.stringify(text).length;
    return diff.length > limit ? { object, action, diff: text, truncated: true } : { object, action, diff: text };
  });
}
