const escapeSequence = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[ -/]*[@-~]`, 'g');
/** Control (Cc), format (Cf: zero-width, direction marks, tags), line and paragraph separators. */
const invisible = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text that somebody else wrote (logs, events, messages of containers), made safe to show: no control, zero-width
 * or direction characters, no terminal sequences; tabs and line ends become a space; capped, with `…` where cut.
 */
export function plainText(text: string, maxLength = 1000): string {
  // Cut before the costly part, with room for what is stripped: a line may be megabytes long.
  const head = text.length > maxLength * 8 ? text.slice(0, maxLength * 8) : text;
  const clean = head
    .toWellFormed()
    .replace(escapeSequence, '')
    .replace(/[\t\n\r]+/g, ' ')
    .replace(invisible, '');
  if (clean.length <= maxLength && head === text) return clean;
  return `${clean.slice(0, Math.max(0, maxLength - 1)).toWellFormed()}…`;
}
