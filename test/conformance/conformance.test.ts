import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, startHarness, token } from '../server/support/harness.ts';
import { eras } from '../support/mcp.ts';
import { type Entrance, openEntrance } from './entrance.ts';
import expectedFailures from './expected-failures.json' with { type: 'json' };
import { fixtureTools } from './fixtures.ts';
import { type Check, checksListed, type ExpectedFailures, faultsOf, strangersOf } from './judge.ts';
import { runSuite, scenariosOf } from './suite.ts';

const scenarios = await Promise.all(eras.map(async (era) => [era, await scenariosOf(era)] as const));

/**
 * The official suite against the whole server with its token, limits and transports, the tools of the product and those
 * that the suite asks for by name. A scenario about what this server does not offer is listed, with the reason.
 */
describe.each(scenarios)('protocol %s by its conformance suite', (era, names) => {
  const expected: ExpectedFailures = expectedFailures[era];
  let harness: Harness;
  let entrance: Entrance;
  let results: ReadonlyMap<string, readonly Check[]>;
  beforeAll(async () => {
    harness = await startHarness({ moreTools: fixtureTools });
    entrance = await openEntrance(harness.url, token);
    results = await runSuite(era, entrance.url('/mcp'));
  }, 120_000);
  afterAll(async () => {
    await entrance.close();
    await harness.close();
  });

  it.each(names.map((name) => [name, rule(name, expected)]))('%s %s', (name) => {
    const checks = results.get(name);
    expect(checks, `${name} was not run`).toBeDefined();
    expect(faultsOf(name, checks ?? [], expected)).toEqual([]);
  });

  it('ran exactly the scenarios that it lists', () => {
    expect([...results.keys()].sort()).toEqual([...names].sort());
  });

  it('has every scenario whose failure is expected', () => {
    expect(strangersOf(names, expected)).toEqual([]);
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
