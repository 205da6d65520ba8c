import { describe, expect, it } from 'vitest';
import { TentacularError } from '../../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { childPath } from '../../../constructs/workflow/yaml-source.ts';
import { renderManifests } from '../../../server/tools/manifests.ts';
import { rendererOptions } from '../support/renderer-options.ts';
import { type HostileChange, hostileChanges, objectOf, richWorkflow, strangers } from './hostile-manifests.ts';

const enclave = 'team-a';
const rendered = renderTentacle(
  { enclave, managedByGit: true, gitSha: 'abcdef1', ...richWorkflow('hello') },
  rendererOptions,
);

/** A copy to change at will, as it comes out of JSON. */
function copies(): JsonObject[] {
  return JSON.parse(JSON.stringify(rendered.manifests)) as JsonObject[];
}

const apply = (manifests: readonly unknown[], input: { enclave: string; name?: string } = { enclave }) =>
  renderManifests({ ...input, manifests }, rendererOptions);

function refusal(manifests: readonly unknown[], input?: { enclave: string; name?: string }): TentacularError {
  try {
    apply(manifests, input);
  } catch (error) {
    if (error instanceof TentacularError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** `Kind/… field` of every difference that an error tells as data. */
function told(error: TentacularError): string[] {
  const { differences } = error.details ?? {};
  if (!Array.isArray(differences)) return [];
  return differences.filter(isJsonObject).map(({ object, field }) => `${String(object).split('/')[0]} ${field}`);
}

function changed(...changes: readonly HostileChange[]): JsonObject[] {
  const set = copies();
  for (const { change } of changes) change(set);
  return set;
}

describe('rendered manifests as input', () => {
  it('what cdk8s synth wrote is taken, in any order, and is the same set', () => {
    const result = apply(copies().reverse());
    expect(result.specHash).toBe(rendered.specHash);
    expect(result.manifests).toEqual(rendered.manifests);
  });

  it('stamps that a server set on the Deployment count for nothing and are not taken over', () => {
    const manifests = copies();
    const metadata = objectOf(manifests, 'Deployment').metadata as JsonObject;
    metadata.annotations = { ...(metadata.annotations as JsonObject), 'tentacular.io/deployed-by': 'mallory' };
    expect(JSON.stringify(apply(manifests).manifests)).not.toContain('mallory');
  });

  const all = [...hostileChanges, ...strangers(enclave)];
  it.each(all.map((one) => [one.what, one] as const))(
    '%s is a policy_violation that names the object and the field',
    (_what, one) => {
      const error = refusal(changed(one));
      expect(error.code).toBe('policy_violation');
      expect(told(error)).toContain(`${one.kind} ${one.field}`);
      // What it says besides is about the same object.
      expect(new Set(told(error).map((line) => line.split(' ')[0]))).toEqual(new Set([one.kind]));
    },
  );

  it('all faults are told at once, and a number where they are too many', () => {
    const few = [...hostileChanges].filter(({ what }) => /^(hostNetwork|a forged owner-sub|a NodePort)$/.test(what));
    const error = refusal(changed(...few, ...strangers(enclave).slice(0, 3)));
    expect(told(error)).toEqual([
      'Service spec.type',
      'Deployment metadata.annotations["tentacular.io/owner-sub"]',
      'Deployment spec.template.spec.hostNetwork',
      'Namespace kind',
      'Pod kind',
      'Secret kind',
    ]);
    const many = Array.from({ length: 90 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `pod-${index}` },
    }));
    expect(refusal([...copies(), ...many]).message).toMatch(/- and 40 more$/);
  });

  it('a value that was sent is never repeated: it may be a secret', () => {
    const canary = 'CANARY-0451';
    const set = copies();
    set.push({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, stringData: { password: canary } });
    const template = (objectOf(set, 'Deployment').spec as JsonObject).template as JsonObject;
    (template.spec as JsonObject).hostname = canary;
    const { message, details, hint } = refusal(set);
    expect(JSON.stringify([message, details, hint])).not.toContain(canary);
  });

  // Harm prevented: a field that nobody thought of when the list above was written.
  it('no field of the set can be changed, removed or added to without a refusal that names it', () => {
    let tried = 0;
    for (const [index, object] of copies().entries()) {
      for (const { at, path } of placesIn(object, [], '')) {
        for (const mutate of mutations) {
          const set = copies();
          const parent = at.slice(0, -1).reduce<JsonValue | undefined>(member, set[index]);
          if (!mutate(parent, at.at(-1) ?? '')) continue;
          tried += 1;
          const error = refusal(set);
          expect([error.code, path]).toEqual([expect.stringMatching(/^(policy_violation|invalid_input)$/), path]);
          if (error.code === 'policy_violation') expect(told(error).length).toBeGreaterThan(0);
        }
      }
    }
    expect(tried).toBeGreaterThan(1000);
    // A rendering each: ten seconds where the machine is free, and it waits for nothing.
  }, 180_000);

  it('changed code under the old name is refused', () => {
    const set = copies();
    const data = objectOf(set, 'ConfigMap').data as JsonObject;
    data['nodes__probe.ts'] = 'export default () => "changed";';
    expect(refusal(set).code).toMatch(/policy_violation|invalid_input/);
  });

  it('a source in the set that is none is invalid_input, and names the object that holds it', () => {
    const set = copies();
    const data = objectOf(set, 'ConfigMap').data as JsonObject;
    data['workflow.yaml'] = 'name: UPPER';
    const error = refusal(set);
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('ConfigMap/team-a/hello-code-'),
    });
    expect(error.message).toMatch(/\n- name/);
  });

  it.each<[string, readonly unknown[], RegExp]>([
    ['none', [], /manifests: must hold the Deployment/],
    ['no Deployment', copies().filter(({ kind }) => kind !== 'Deployment'), /manifests: must hold the Deployment/],
    ['two Deployments', [...copies(), objectOf(copies(), 'Deployment')], /manifests\[4\]: .*Deployment\/team-a\/hello/],
    ['no code', copies().filter(({ kind }) => kind !== 'ConfigMap'), /must hold the code ConfigMap/],
    ['YAML text', ['kind: Deployment'], /manifests\[0\]: is no object/],
    ['a list in place of an object', [copies()], /manifests\[0\]: is no object/],
    ['a List of Kubernetes', [{ apiVersion: 'v1', kind: 'List', items: copies() }], /manifests\[0\]\.metadata\.name/],
    [
      'a generateName alone',
      [...copies(), { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'x-' } }],
      /manifests\[4\]\.metadata\.name: is missing/,
    ],
    [
      'labels and annotations that are no texts',
      [{ ...copies()[0], metadata: { name: 'x', labels: [], annotations: { a: { b: 1 } } } }],
      /manifests\[0\]\.metadata\.labels(.|\n)*manifests\[0\]\.metadata\.annotations\.a/,
    ],
    [
      'several faults',
      [{ kind: 'Deployment' }, 7, null, 'x', { metadata: { name: 1, namespace: {} } }],
      /\[0\](.|\n)*\[1\](.|\n)*\[2\](.|\n)*\[3\](.|\n)*\[4\]\.metadata\.namespace/,
    ],
  ])('%s is invalid_input that tells where', (_what, manifests, where) => {
    const error = refusal(manifests);
    expect([error.code, error.message]).toEqual(['invalid_input', expect.stringMatching(where)]);
  });

  it('a set of another enclave or tentacle than the one named is invalid_input', () => {
    expect(refusal(copies(), { enclave: 'team-b' })).toMatchObject({ code: 'invalid_input' });
    expect(refusal(copies(), { enclave, name: 'other' })).toMatchObject({ code: 'invalid_input' });
  });
});

type Place = { readonly at: readonly (string | number)[]; readonly path: string };

/** Every object, list and value in an object. */
function placesIn(value: JsonValue | undefined, at: Place['at'], path: string): Place[] {
  const inner = Array.isArray(value)
    ? value.flatMap((item, index) => placesIn(item, [...at, index], childPath(path, index)))
    : isJsonObject(value)
      ? Object.entries(value).flatMap(([key, item]) => placesIn(item, [...at, key], childPath(path, key)))
      : [];
  return at.length === 0 ? inner : [{ at, path }, ...inner];
}

function member(value: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (Array.isArray(value)) return value[Number(step)];
  return isJsonObject(value) ? value[step] : undefined;
}

/** One change at a place; false where it would change nothing. */
type Mutation = (parent: JsonValue | undefined, step: string | number) => boolean;

function put(parent: JsonValue | undefined, step: string | number, value: JsonValue): boolean {
  if (JSON.stringify(member(parent, step)) === JSON.stringify(value)) return false;
  if (Array.isArray(parent)) parent[Number(step)] = value;
  else if (isJsonObject(parent)) parent[step] = value;
  else return false;
  return true;
}

const mutations: readonly Mutation[] = [
  (parent, step) => put(parent, step, null),
  (parent, step) => put(parent, step, 'ünïcode\u0000\u202e'),
  (parent, step) => put(parent, step, {}),
  (parent, step) => {
    const value = member(parent, step);
    if (Array.isArray(value)) return put(parent, step, [...value, { name: 'x' }]);
    return isJsonObject(value) && put(parent, step, { ...value, 'x-unknown': { a: [1] } });
  },
  (parent, step) => {
    if (Array.isArray(parent)) return parent.splice(Number(step), 1).length > 0;
    return isJsonObject(parent) && delete parent[step];
  },
];
