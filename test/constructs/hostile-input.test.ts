import { describe, expect, it } from 'vitest';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject, JsonValue } from '../../constructs/model/json.ts';
import { renderTentacle } from '../../constructs/render.ts';
import { baseOptions } from '../snapshots/cases/case.ts';

// The server renders what tenants send, in the one thread that serves everybody: input made to be slow, or to blow up
// memory or the answer, would be an outage for all. Each of these took from ten seconds to for ever.

const head = 'name: job\nversion: "1.0.0"\nnodes: {work: {path: nodes/work.ts}}\n';
const files = { 'nodes/work.ts': 'export default () => 1;\n' };
/** Some ten times what the slowest takes. */
const patienceMs = 5000;

function refusal(workflow: string | JsonObject, code: Readonly<Record<string, string>> = files): TentacularError {
  try {
    renderTentacle({ enclave: 'team', workflow, files: code }, baseOptions);
  } catch (error) {
    if (error instanceof TentacularError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

describe('input made to be slow is refused at once', () => {
  const numbers = (count: number) => Array.from({ length: count }, (_, index) => index.toString(36).padStart(3, '0'));
  const name = (letter: string, index: number) => `${'a'.repeat(40)}${letter}${index}`;

  it.each<[string, string | JsonObject, Readonly<Record<string, string>>?]>([
    ['30,000 keys in one mapping', `${head}config: {${numbers(30_000).join()}}`],
    ['40,000 aliases', `${head}config: {k: [&a y, ${'*a,'.repeat(40_000)}]}`],
    ['a long key above many values', `${head}config: {${'a'.repeat(60_000)}: [${'1,'.repeat(19_900)}]}`],
    [
      'long keys within each other',
      `${head}config: ${`{${'a'.repeat(250)}: `.repeat(30)}[${'1,'.repeat(19_900)}]${'}'.repeat(30)}`,
    ],
    [
      'edges between nodes that are almost there',
      {
        name: 'job',
        version: '1.0.0',
        nodes: Object.fromEntries(numbers(200).map((id) => [`${'a'.repeat(40)}${id}`, { path: 'nodes/work.ts' }])),
        edges: numbers(1000).map((_, index) => ({ from: name('x', index), to: name('y', index) })),
      },
    ],
    [
      'imports of files that are almost there',
      head,
      {
        ...Object.fromEntries(numbers(400).map((id) => [`nodes/${'a'.repeat(50)}${id}.ts`, ''])),
        'nodes/work.ts': numbers(10_000)
          .map((_, index) => `import './${name('x', index)}';`)
          .join(''),
      },
    ],
  ])('%s', (_what, workflow, code) => void refusal(workflow, code), patienceMs);

  it(
    'an address of a repository',
    () => {
      const source = { enclave: 'team', workflow: head, files, gitUrl: `a://${':'.repeat(1_000_000)}` };
      expect(() => renderTentacle(source, baseOptions)).toThrow(/git_url/);
    },
    patienceMs,
  );
});

describe('an answer stays small, however much is wrong', () => {
  it.each<[string, string | JsonObject, Readonly<Record<string, string>>?]>([
    ['keys', { name: 'job', config: Object.fromEntries(Array.from({ length: 15_000 }, (_, i) => [`\u200b${i}`, 1])) }],
    ['files', head, Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`../${i}`, '']))],
  ])('%s', (_what, workflow, code) => {
    const { message } = refusal(workflow, code);
    expect(message.length).toBeLessThan(200_000);
  });
});

describe('depth that JSON.parse reads and JSON.stringify cannot write is a fault like any other', () => {
  it('in a workflow that is an object', () => {
    const { message } = refusal({ name: 'job', version: '1.0.0', config: { deep: nested(100_000) } });
    expect(message).toContain('is nested too deeply');
  });

  it('in a deno.lock', () => {
    const lock = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(refusal(head, { ...files, 'deno.lock': lock }).message).toContain(
      'files["deno.lock"]: is nested too deeply',
    );
  });
});

describe('a key that stands twice is refused, however it is written', () => {
  it.each([
    ['as the same text', '{a: 1, a: 2}'],
    ['once as text and once as a number', '{"1": 1, 1: 2}'],
    ['once as text and once as a boolean', '{true: 1, "true": 2}'],
    ['with an escape', '{"ab": 1, "a\\u0062": 2}'],
  ])('%s', (_how, mapping) => {
    expect(refusal(`${head}config: ${mapping}\n`).message).toContain('the same key stands twice in one mapping');
  });
});

it('an alias stands for the last anchor of its name before it', () => {
  const { workflow } = renderTentacle(
    { enclave: 'team', workflow: `${head}config: {a: &x 1, b: *x, c: &x [2], d: *x}\n`, files },
    baseOptions,
  );
  expect(workflow.config.values).toEqual({ a: 1, b: 1, c: [2], d: [2] });
});

// The kubelet cannot make such a volume: the pod waited for it for ever, and nobody was told why.
it.each([
  ['nodes/work.ts', 'nodes/work.ts/more.ts'],
  ['workflow.yaml', 'workflow.yaml/a.json'],
])('a name may not be that of a file and of a folder: %s', (name, within) => {
  const { message } = refusal(head, { ...files, [within]: '1' });
  expect(message).toContain(`files["${name}"]: is a file, and the folder of another one`);
});
