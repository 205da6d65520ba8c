import { stringify } from 'yaml';
import { hasHiddenCharacters, showHidden } from '../constructs/model/text.ts';

export type OutputFormat = 'text' | 'json' | 'yaml';

/**
 * A result as it is printed. What others put into it steers no terminal: hidden characters are escaped as JSON does
 * it, so that a program reads what was there, and in the forms for people as `\u{...}`.
 */
export function printed(result: object, format: OutputFormat): string {
  const json = JSON.stringify(result, null, 2);
  if (format === 'json') return `${Array.from(json, escaped).join('')}\n`;
  const shown = JSON.parse(json, (_key, value: unknown) => (typeof value === 'string' ? showHidden(value) : value));
  if (format === 'yaml') return stringify(shown);
  const rows = Object.entries(shown);
  const width = Math.max(...rows.map(([key]) => key.length));
  return rows.map(([key, value]) => `${key.padEnd(width)}  ${value}\n`).join('');
}

function escaped(character: string): string {
  if (character === '\n' || !hasHiddenCharacters(character)) return character;
  return Array.from({ length: character.length }, (_, index) => {
    const unit = character.charCodeAt(index).toString(16);
    return `\\u${unit.padStart(4, '0')}`;
  }).join('');
}
