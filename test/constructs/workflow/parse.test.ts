import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { faultsOf, TentacularError } from '../../../constructs/model/errors.ts';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { parseWorkflow } from '../../../constructs/workflow/parse.ts';
import { workflows } from '../arbitraries.ts';

const minimal = 'name: job\nversion: "1.0"\nnodes:\n  work: { path: nodes/work.ts }\n';

/** The faults of a refusal; any other error fails the test. */
function faultsIn(input: string | JsonObject): ReturnType<typeof faultsOf> {
  try {
    parseWorkflow(input);
    return [];
  } catch (error) {
    if (error instanceof TentacularError && error.code === 'invalid_input') return faultsOf(error);
    throw error;
  }
}

describe('a valid workflow', () => {
  it('gets every default', () => {
    expect(parseWorkflow(minimal)).toEqual({
      name: 'job',
      version: '1.0.0',
      triggers: [{ type: 'manual' }],
      nodes: { work: { path: 'nodes/work.ts' } },
      edges: [],
      config: { timeoutMs: 30_000, retries: 0, maxConcurrency: 1, values: {} },
      deployment: {},
      contract: { version: '1', dependencies: {} },
      sidecars: [],
    });
  });

  it('means the same as text and as an object', () => {
    fc.assert(
      fc.property(workflows, (workflow) => {
        expect(parseWorkflow(stringify(workflow))).toEqual(parseWorkflow(workflow));
      }),
      { numRuns: 150 },
    );
  });

  it('keeps every key of config for the nodes, and understands its own', () => {
    const { config } = parseWorkflow(
      `${minimal}config: { timeout: 2m, retries: 3, max_concurrency: 5, region: eu, nested: { a: [1, null] } }\n`,
    );
    expect(config).toMatchObject({ timeoutMs: 120_000, retries: 3, maxConcurrency: 5 });
    expect(config.values).toEqual({
      timeout: '2m',
      retries: 3,
      max_concurrency: 5,
      region: 'eu',
      nested: { a: [1, null] },
    });
  });

  it('may use anchors and aliases, within bounds', () => {
    const { nodes } = parseWorkflow(
      'name: job\nversion: "1.0.0"\nnodes:\n  a: &n { path: nodes/work.ts, retries: 2 }\n  b: *n\n',
    );
    expect(nodes.b).toEqual(nodes.a);
  });

  it('turns a mode preset into the mode, and sorts tags', () => {
    const workflow = parseWorkflow(`${minimal}tags: [b, a, b]\ndeployment: { mode: member-read }\n`);
    expect([workflow.deployment.mode, workflow.tags]).toEqual(['rwxr-x---', ['a', 'b']]);
  });
});

describe('whatever comes in', () => {
  it('is read or refused with invalid_input, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.json()), (text) => void faultsIn(text)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(
        fc.object({ withNullPrototype: true, withBigInt: true, withDate: true }),
        (value) => void faultsIn(value as JsonObject),
      ),
      { numRuns: 300 },
    );
  });

  // The harm: a fuzzer's garbage dies at the first key; what is nearly right gets much deeper.
  it('that is nearly a workflow is read or refused too, with each fault in its place', () => {
    const edits = fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          '',
          ' ',
          '\n',
          ':',
          '-',
          '[',
          '}',
          '"',
          '&a ',
          '*a',
          '0',
          '\u0000',
          '\u202e',
          '!!binary ',
          'null',
          '__proto__',
        ),
      ),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(workflows, edits, (workflow, changes) => {
        let text = stringify(workflow);
        for (const [where, what] of changes)
          text = text.slice(0, where % text.length) + what + text.slice((where % text.length) + 1);
        const lines = text.split('\n').length;
        for (const { line, column, message } of faultsIn(text)) {
          expect(message).not.toBe('');
          if (line !== undefined) expect(line).toBeLessThanOrEqual(lines + 1);
          if (line !== undefined) expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('with a value replaced by one of another kind is refused, or means something else, but nothing breaks', () => {
    const intruder = fc.constantFrom<unknown[]>(
      null,
      1,
      -1,
      1e300,
      true,
      '',
      'x',
      [],
      {},
      [[]],
      { a: {} },
      'x'.repeat(5000),
    );
    fc.assert(
      fc.property(workflows, intruder, fc.nat(), (workflow, value, which) => {
        const paths = leaves(workflow, []);
        const path = paths[which % paths.length] ?? [];
        const changed: unknown = parse(stringify(workflow));
        let here = changed as Record<string | number, unknown>;
        for (const key of path.slice(0, -1)) here = here[key] as Record<string | number, unknown>;
        here[path.at(-1) ?? 'name'] = value;
        faultsIn(changed as JsonObject);
      }),
      { numRuns: 500 },
    );
  });

  it('does not pollute a prototype', () => {
    faultsIn('{"name": "x", "__proto__": {"polluted": 1}, "config": {"constructor": {"prototype": {"polluted": 1}}}}');
    faultsIn(
      JSON.parse('{"name": "x", "__proto__": {"polluted": 1}, "nodes": {"__proto__": {"path": "x"}}}') as JsonObject,
    );
    expect({}).not.toHaveProperty('polluted');
  });

  it('takes bounded time: aliases, depth, length, many keys, long scalars', () => {
    const started = performance.now();
    const wide = Array.from({ length: 15_000 }, (_, index) => `k${index}: 1`).join('\n');
    const texts = [
      `a: &a [${'x,'.repeat(1000)}]\nb: [${'*a,'.repeat(1000)}]`,
      '['.repeat(120_000),
      '{a: '.repeat(30_000),
      '- '.repeat(60_000),
      '? '.repeat(60_000),
      '&a '.repeat(40_000),
      `a: ${'x'.repeat(100_000)}`,
      'x'.repeat(1_000_000),
      wide,
    ];
    for (const text of texts) expect(faultsIn(text).length).toBeGreaterThan(0);
    // Some 2 s where the machine is idle; without the bounds one of these alone takes longer.
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it('lists at most a hundred faults', () => {
    const text = Array.from({ length: 5000 }, (_, index) => `unknown${index}: 1`).join('\n');
    expect(faultsIn(text)).toHaveLength(100);
  });

  it('never repeats the value of an environment variable: it may be a password', () => {
    const sidecar =
      'sidecars:\n  - { name: s, image: x, port: 9000, env: { A: 424242, B: ["424242"], C: "424242\\0" } }\n';
    expect(JSON.stringify(faultsIn(minimal + sidecar))).not.toContain('424242');
    expect(faultsIn(minimal + sidecar)).toHaveLength(3);
  });
});

function leaves(value: unknown, path: readonly (string | number)[]): (string | number)[][] {
  const own = path.length === 0 ? [] : [[...path]];
  if (Array.isArray(value)) return [...own, ...value.flatMap((item, index) => leaves(item, [...path, index]))];
  if (typeof value !== 'object' || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([key, item]) => leaves(item, [...path, key]))];
}
