import type { Fault } from '../../constructs/model/errors.ts';
import { modeRule, parseMode } from '../../constructs/model/mode.ts';

/** The mode that an argument names, in its nine characters; a fault is added where it names none. */
export function checkedMode(path: string, text: string | undefined, faults: Fault[]): string | undefined {
  if (text === undefined) return undefined;
  const mode = parseMode(text);
  if (mode === undefined) faults.push({ path, message: 'is no mode', found: text, allowed: modeRule });
  return mode;
}
