import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness, token } from '../server/support/harness.ts';
import { eras } from '../support/mcp.ts';
import { type Entrance, openEntrance } from './entrance.ts';
import expectedFailures from './expected-failures.json' with { type: 'json' };
import { fixtureTools } from './fixtures.ts';
import { checksListed, type ExpectedFailures, faultsOf, strangersOf } from './judge.ts';
import type { Results } from './program.ts';
import { runSuite, type SpecVersion, scenariosOf, summaryOf } from './suite.ts';

interface Plan {
  readonly version: SpecVersion;
  readonly scenarios: readonly string[];
  readonly expected: ExpectedFailures;
}

/** The older era has a smaller version before it, which the server claims as well: what fails there fails here. */
const smaller = '2025-06-18';
const versions: readonly SpecVersion[] = [smaller, ...eras];
const plans = await Promise.all(versions.map(plan));

async function plan(version: SpecVersion): Promise<Plan> {
  const scenarios = await scenariosOf(version);
  if (version !== smaller) return { version, scenarios, expected: expectedFailures[version] };
  const expected = Object.entries(expectedFailures['2025-11-25']);
  const known = expected.filter(([entry, reason]) => strangersOf(scenarios, { [entry]: reason }).length === 0);
  return { version, scenarios, expected: Object.fromEntries(known) };
}

/**
 * The official suite against the whole server with its token, limits and transports, the tools of the product and those
 * that the suite asks for by name. A scenario about what this server does not offer is listed, with the reason.
 */
describe.each(plans)('protocol $version by its conformance suite', ({ version, scenarios, expected }) => {
  let harness: Harness;
  let entrance: Entrance;
  let results: Results;
  beforeAll(async () => {
    harness = await startHarness({ moreTools: fixtureTools });
    entrance = await openEntrance(harness.url, token);
    results = await runSuite(version, entrance.url('/mcp'));
    process.stdout.write(`MCP conformance ${version}: ${summaryOf(results, expected)}\n`);
  }, 120_000);
  afterAll(async () => {
    await entrance.close();
    await harness.close();
  });

  it.each(scenarios.map((name) => [name, rule(name, expected)]))('%s %s', (name) => {
    const checks = results.get(name);
    expect(checks, `${name} was not run`).toBeDefined();
    expect(faultsOf(name, checks ?? [], expected)).toEqual([]);
  });

  it('ran exactly the scenarios that it lists', () => {
    expect([...results.keys()].sort()).toEqual([...scenarios].sort());
  });

  it('has every scenario whose failure is expected', () => {
    expect(strangersOf(scenarios, expected)).toEqual([]);
  });

  it('leaves no error in the log of the server', () => {
    expect(harness.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

function rule(scenario: string, expected: ExpectedFailures): string {
  const reason = expected[scenario];
  if (reason !== undefined) return `is expected to fail: ${reason}`;
  const { size } = checksListed(scenario, expected);
  return size === 0 ? 'passes' : `passes but for ${size} listed checks`;
}
