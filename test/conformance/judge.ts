/** One finding of the suite, as it writes it down. */
export interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

/** Why each of these fails, by `<scenario>`, or by `<scenario>:<check>` where the rest of a scenario must pass. */
export type ExpectedFailures = Readonly<Record<string, string>>;

/** Judged over all messages of a scenario: never excused together with it. */
export const wireCheck = 'wire-schema-valid';

/**
 * What is wrong with the outcome of one scenario, or with the list: nothing where it passes and is not listed, or fails
 * exactly as listed. What the suite only warns of (SHOULD) is a failure; a scenario that checked nothing has not passed.
 */
export function faultsOf(scenario: string, checks: readonly Check[], expected: ExpectedFailures): string[] {
  const failing = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const passing = checks.filter(({ id, status }) => status === 'SUCCESS' && id !== wireCheck);
  const listedWhole = Object.hasOwn(expected, scenario);
  const listedChecks = checksListed(scenario, expected);
  const faults = failing
    .filter(({ id }) => !listedChecks.has(id) && (!listedWhole || id === wireCheck))
    .map(
      ({ id, status, errorMessage }) => `${scenario}:${id} ${status}: ${errorMessage ?? 'the suite gives no reason'}`,
    );
  if (listedWhole && passing.length > 0) {
    const names = passing.map(({ id }) => id).join(', ');
    faults.push(`${scenario} is listed as a whole, but passes ${names}: take it off the list, or list what fails`);
  }
  for (const id of listedChecks) {
    if (failing.some((check) => check.id === id)) continue;
    faults.push(`${scenario}:${id} is listed and does not fail: take it off the list`);
  }
  if (!listedWhole && failing.length === 0 && passing.length === 0) faults.push(`${scenario}: nothing was checked`);
  return faults;
}

/** Entries of the list that name no scenario of the suite. */
export function strangersOf(scenarios: readonly string[], expected: ExpectedFailures): string[] {
  return Object.keys(expected).filter((entry) => !scenarios.includes(entry.split(':', 1)[0] ?? ''));
}

/** The checks of a scenario that are listed one by one. */
export function checksListed(scenario: string, expected: ExpectedFailures): ReadonlySet<string> {
  const prefix = `${scenario}:`;
  const entries = Object.keys(expected).filter((entry) => entry.startsWith(prefix));
  return new Set(entries.map((entry) => entry.slice(prefix.length)));
}
