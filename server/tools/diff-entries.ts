import type { ToolOutput } from '../api/tools.ts';
import type { ObjectDiff } from '../cluster/index.ts';
import { textWithin } from './page.ts';
import { cleanText } from './untrusted.ts';

type Entry = NonNullable<ToolOutput<'wf_apply'>['diff']>[number];

/** Characters of JSON that the diffs of one reply may take in all, and one of them. */
const maxAll = 24_000;
const maxOne = 12_000;

/** Diffs as rows of a reply; what is too long is cut and says so. */
export function diffEntries(objects: readonly ObjectDiff[]): Entry[] {
  let left = maxAll;
  return objects.map(({ object, action, diff }) => {
    if (diff === undefined) return { object, action };
    const clean = cleanText(diff, maxOne);
    const text = textWithin(clean, Math.min(maxOne, left));
    left -= JSON.stringify(text).length;
    const truncated = diff.length > maxOne || text.length < clean.length;
    return truncated ? { object, action, diff: text, truncated } : { object, action, diff: text };
  });
}
