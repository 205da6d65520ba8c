import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../../constructs/model/json.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { compareObject } from '../../../server/cluster/compare.ts';
import { formatPath, withoutPath } from '../../../server/cluster/field-path.ts';
import { otherOwners } from '../../../server/cluster/managed-fields.ts';
import { sameQuantity } from '../../../server/cluster/quantity.ts';
import { applyOnto } from '../../support/fake-ssa.ts';
import { tentacle } from './fixture.ts';

/** The live object after `manifest` was applied, as an API server keeps it. */
function applied(manifest: Manifest): Manifest {
  const outcome = applyOnto(undefined, manifest as JsonObject, { manager: 'tentacular', force: false, time: 't' });
  if (!('object' in outcome)) throw new Error('conflict');
  return outcome.object as Manifest;
}

const paths = (desired: Manifest, live: Manifest) =>
  compareObject(desired, live, { manager: 'tentacular' }).map(({ kind, path }) => `${kind} ${formatPath(path)}`);

const policy = (egress: JsonValue): Manifest => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'p', namespace: 'n', labels: { a: 'b' } },
  spec: { podSelector: {}, policyTypes: ['Egress'], egress },
});

describe('comparing desired with live', () => {
  it('finds no difference in what was just applied, with defaults and other notation filled in', () => {
    for (const manifest of tentacle('team', 'hello').manifests) expect(paths(manifest, applied(manifest))).toEqual([]);
  });

  it('finds each changed, added and removed leaf, and nothing else', () => {
    const [, service, , deployment] = tentacle('team', 'hello').manifests;
    if (!service || !deployment) throw new Error('fixture');
    const live = applied(deployment);
    const changed = structuredClone(deployment);
    const spec = changed.spec as JsonObject;
    spec.replicas = 3;
    const { template } = spec as { template: { spec: JsonObject } };
    const [container] = template.spec.containers as JsonObject[];
    if (!container) throw new Error('fixture');
    container.env = [
      { name: 'EMPTY', value: '' },
      { name: 'NEW', value: 'x' },
    ];
    delete container.volumeMounts;
    delete template.spec.automountServiceAccountToken;
    expect(paths(changed, live).sort()).toEqual([
      'extra .spec.template.spec.automountServiceAccountToken',
      'extra .spec.template.spec.containers[name="engine"].volumeMounts',
      'unowned .spec.template.spec.containers[name="engine"].env',
      'value .spec.replicas',
    ]);
  });

  it('never takes a rule without a selector for one that selects everything, or the other way round', () => {
    const everything = [{ to: [{ namespaceSelector: {} }] }];
    const nothing = [{ to: [{}] }];
    expect(paths(policy(nothing), applied(policy(everything)))).toEqual(['value .spec.egress']);
    expect(paths(policy(everything), applied(policy(nothing)))).toEqual(['value .spec.egress']);
    const narrow = [{ to: [{ namespaceSelector: {}, podSelector: { matchLabels: { a: 'b' } } }] }];
    expect(paths(policy(everything), applied(policy(narrow)))).toEqual(['value .spec.egress']);
  });

  it('a rule, or a selector, that is to become empty is a difference: it would stay open otherwise', () => {
    expect(paths(policy([]), applied(policy([{ ports: [{ port: 443 }] }])))).toEqual(['value .spec.egress']);
    const selecting = policy([]);
    (selecting.spec as JsonObject).podSelector = { matchLabels: { a: 'b' } };
    expect(paths(policy([]), applied(selecting))).toEqual(['value .spec.podSelector']);
  });

  it('a security field that somebody removed is a difference, though false and absent look alike', () => {
    const { manifests } = tentacle('team', 'hello');
    const deployment = manifests.at(-1);
    if (!deployment) throw new Error('fixture');
    const live = applied(deployment);
    const removed = structuredClone(live);
    const { template } = removed.spec as { template: { spec: JsonObject } };
    delete template.spec.automountServiceAccountToken;
    const [entry] = removed.metadata.managedFields as JsonObject[];
    const owned = entry?.fieldsV1 as { 'f:spec': { 'f:template': { 'f:spec': JsonObject } } };
    delete owned['f:spec']['f:template']['f:spec']['f:automountServiceAccountToken'];
    expect(paths(deployment, removed)).toEqual(['value .spec.template.spec.automountServiceAccountToken']);
  });

  it('an object without our ownership differs everywhere, so that the next apply takes it up', () => {
    const live = applied(policy([]));
    live.metadata.managedFields = [];
    expect(paths(policy([]), live).length).toBeGreaterThan(0);
  });

  it('fields that others added are none of ours, unless they stand in a value that we own as a whole', () => {
    const live = applied(policy([{ ports: [{ port: 443 }] }]));
    live.metadata.labels = { ...live.metadata.labels, theirs: 'x' };
    expect(paths(policy([{ ports: [{ port: 443 }] }]), live)).toEqual([]);
    (live.spec as JsonObject).egress = [{ ports: [{ port: 443, protocol: 'TCP' }] }, {}];
    expect(paths(policy([{ ports: [{ port: 443 }] }]), live)).toEqual(['value .spec.egress']);
  });

  it('property: whatever changes in a policy is found, and an equal one is not', () => {
    const rule = fc.record({ ports: fc.array(fc.record({ port: fc.integer({ min: 1, max: 9 }) }), { maxLength: 3 }) });
    const egress = fc.array(rule, { maxLength: 3 });
    fc.assert(
      fc.property(egress, egress, (before, after) => {
        const isEqual = stripped(before) === stripped(after);
        const found = paths(policy(after), applied(policy(before)));
        return isEqual ? found.every((line) => line.startsWith('unowned')) || found.length === 0 : found.length > 0;
      }),
      { numRuns: 300 },
    );
  });
});

/** A list that is left out and an empty one are stored alike. */
function stripped(rules: readonly { readonly ports: readonly JsonValue[] }[]): string {
  return JSON.stringify(rules.map(({ ports }) => (ports.length > 0 ? { ports } : {})));
}

describe('paths and owners', () => {
  it('a path is written as the API server writes it', () => {
    const path = [
      { field: 'spec' },
      { field: 'ports' },
      { key: { containerPort: 80, protocol: 'TCP' } },
      { field: 'name' },
    ];
    expect(formatPath(path)).toBe('.spec.ports[containerPort=80,protocol="TCP"].name');
  });

  it('taking out a field leaves its neighbours, and list items that others are in', () => {
    const value = {
      spec: {
        a: 1,
        list: [
          { name: 'x', image: 'i' },
          { name: 'y', image: 'j' },
        ],
      },
    };
    const path = [{ field: 'spec' }, { field: 'list' }, { key: { name: 'x' } }, { field: 'image' }];
    expect(withoutPath(value, path)).toEqual({ spec: { a: 1, list: [{ name: 'x' }, { name: 'y', image: 'j' }] } });
    expect(withoutPath({ spec: { a: 1 } }, [{ field: 'spec' }, { field: 'a' }])).toBeUndefined();
  });

  it('owner is who owns the field, the whole above it, or something below it; never ourselves', () => {
    const live = applied(policy([]));
    const entry = (manager: string, fieldsV1: JsonObject): JsonObject => ({
      manager,
      operation: 'Update',
      apiVersion: 'networking.k8s.io/v1',
      fieldsV1,
    });
    live.metadata.managedFields = [
      ...(live.metadata.managedFields as JsonObject[]),
      entry('whole', { 'f:spec': { 'f:egress': {} } }),
      entry('below', { 'f:metadata': { 'f:labels': { 'f:x': {} } } }),
    ];
    expect(otherOwners(live, [{ field: 'spec' }, { field: 'egress' }], 'tentacular')).toEqual(['whole']);
    expect(otherOwners(live, [{ field: 'spec' }, { field: 'egress' }, { field: 'deep' }], 'tentacular')).toEqual([
      'whole',
    ]);
    expect(otherOwners(live, [{ field: 'metadata' }, { field: 'labels' }], 'tentacular')).toEqual(['below']);
    expect(otherOwners(live, [{ field: 'spec' }, { field: 'policyTypes' }], 'tentacular')).toEqual([]);
  });
});

describe('quantities', () => {
  it.each([
    ['1000m', '1'],
    ['1024Mi', '1Gi'],
    ['0.5', '500m'],
    ['1e3', '1k'],
    ['1.5Gi', '1536Mi'],
    ['0', '0m'],
    ['.5', '0.50'],
  ])('%s is the same amount as %s', (a, b) => expect(sameQuantity(a, b)).toBe(true));

  it.each([
    ['1', '1001m'],
    ['1G', '1Gi'],
    ['1', '-1'],
    ['one', '1'],
    ['1e99', '1e98'],
    ['', '0'],
  ])('%s is not the same amount as %s', (a, b) => expect(sameQuantity(a, b)).toBe(false));
});
