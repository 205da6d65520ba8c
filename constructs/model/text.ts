// C0, C1, zero-width, bidirectional controls, byte order mark, line separators, tags, lone surrogates:
// what can make a name look like another one, or steer a terminal or a reader.
const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0f]/u;
const hiddenInProse =
  /(?![\t\n\r])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e0fff}]/u;

/** True if the text holds a control, zero-width or direction character: no name may. */
export function hasHiddenCharacters(text: string): boolean {
  return hidden.test(text);
}

/** The same for running text, where line breaks and tabs are fine. */
export function hasHiddenCharactersInProse(text: string): boolean {
  return hiddenInProse.test(text);
}

/** The text with each control, zero-width or direction character as an escape: safe to print in a message. */
export function showHidden(text: string): string {
  if (!hidden.test(text)) return text;
  return Array.from(text, (character) =>
    hidden.test(character) ? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}` : character,
  ).join('');
}

/** Names that reach into a JavaScript prototype when used as a key (`__proto__`, `constructor`, `toString`, ...). */
export function isPrototypeName(name: string): boolean {
  return name === 'prototype' || name in {};
}
