import { rowsWithin } from './page.ts';
import { cleanText, textLimits } from './untrusted.ts';

/** Characters that the warnings of one reply may take. */
const warningsBudget = 6000;

/** Warnings cleaned and bounded; how many were left out is told. */
export function warningRows(warnings: readonly string[]): string[] {
  const told = rowsWithin(
    warnings.map((warning) => cleanText(warning, textLimits.message)),
    warningsBudget,
  );
  const leftOut = warnings.length - told.length;
  return leftOut === 0 ? told : [...told, `${leftOut} more warnings were left out`];
}
