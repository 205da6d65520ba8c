import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../constructs/model/json.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { renderTentacle } from '../../../constructs/render.ts';
import { renderManifests } from '../../../server/tools/manifests.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { rendererOptions } from '../support/renderer-options.ts';

const enclave = 'team-a';
const rendered = renderTentacle(
  { enclave, managedByGit: true, gitSha: 'abcdef1', ...helloWorkflow('hello') },
  rendererOptions,
);

/** A copy to change at will. */
function copies(): Manifest[] {
  return structuredClone(rendered.manifests) as Manifest[];
}

function deploymentOf(manifests: Manifest[]): Manifest {
  const found = manifests.find(({ kind }) => kind === 'Deployment');
  if (!found) throw new Error('no Deployment was rendered');
  return found;
}

const apply = (manifests: readonly unknown[], input: { enclave: string; name?: string } = { enclave }) =>
  renderManifests({ ...input, manifests }, rendererOptions);

describe('rendered manifests as input', () => {
  it('what cdk8s synth wrote is taken, in any order, and is the same set', () => {
    const result = apply(copies().reverse());
    expect(result.specHash).toBe(rendered.specHash);
    expect(result.manifests).toEqual(rendered.manifests);
  });

  it('stamps that a server set on the Deployment count for nothing and are not taken over', () => {
    const manifests = copies();
    const { metadata } = deploymentOf(manifests);
    metadata.annotations = { ...metadata.annotations, 'tentacular.io/deployed-by': 'mallory' };
    expect(JSON.stringify(apply(manifests).manifests)).not.toContain('mallory');
  });

  it.each<[string, (manifests: Manifest[]) => unknown]>([
    [
      'an object of another kind',
      (set) => set.push({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', namespace: enclave } }),
    ],
    [
      'a Role',
      (set) => set.push({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'x' } }),
    ],
    [
      'a missing NetworkPolicy',
      (set) =>
        set.splice(
          set.findIndex(({ kind }) => kind === 'NetworkPolicy'),
          1,
        ),
    ],
    ['a Service of type NodePort', (set) => Object.assign(byKind(set, 'Service').spec ?? {}, { type: 'NodePort' })],
    ['an opened NetworkPolicy', (set) => Object.assign(byKind(set, 'NetworkPolicy').spec ?? {}, { egress: [{}] })],
    ['hostNetwork', (set) => Object.assign(podSpec(set), { hostNetwork: true })],
    ['another ServiceAccount', (set) => Object.assign(podSpec(set), { serviceAccountName: 'default' })],
    ['a hostPath', (set) => Object.assign(podSpec(set), { volumes: [{ name: 'h', hostPath: { path: '/' } }] })],
    [
      'a forged owner',
      (set) => Object.assign(deploymentOf(set).metadata.annotations ?? {}, { 'tentacular.io/owner-sub': 'mallory' }),
    ],
    [
      'a forged mode',
      (set) => Object.assign(deploymentOf(set).metadata.annotations ?? {}, { 'tentacular.io/mode': 'rwxrwxrwx' }),
    ],
    [
      'an ownerReference',
      (set) => Object.assign(deploymentOf(set).metadata, { ownerReferences: [{ kind: 'Node', name: 'n' }] }),
    ],
    [
      'a label of another tentacle',
      (set) => Object.assign(byKind(set, 'Service').metadata.labels ?? {}, { 'tentacular.io/tentacle': 'other' }),
    ],
    ['two replicas', (set) => Object.assign(deploymentOf(set).spec ?? {}, { replicas: 2 })],
  ])('%s is refused as policy_violation that names the object', (_what, change) => {
    const manifests = copies();
    change(manifests);
    expect(() => apply(manifests)).toThrow(
      expect.objectContaining({ code: 'policy_violation', message: expect.stringMatching(/\w+\/\S+: /) }),
    );
  });

  it('changed code under the old name is refused', () => {
    const manifests = copies();
    const code = manifests.find(({ metadata }) => metadata.name.startsWith('hello-code-'));
    const data = code?.data ?? {};
    const [key] = Object.keys(data).filter((name) => name.includes('greet'));
    data[key ?? ''] = 'export default () => "changed";';
    expect(() => apply(manifests)).toThrow(expect.objectContaining({ code: 'policy_violation' }));
  });

  it.each<[string, readonly unknown[]]>([
    ['none', []],
    ['no Deployment', copies().filter(({ kind }) => kind !== 'Deployment')],
    ['two Deployments', [...copies(), deploymentOf(copies())]],
    ['no code', copies().filter(({ metadata }) => !metadata.name.includes('-code-'))],
    ['something else', [{ kind: 'Deployment' }, 7, null, 'x', { metadata: { labels: [] } }]],
  ])('%s is invalid_input', (_what, manifests) => {
    expect(() => apply(manifests)).toThrow(expect.objectContaining({ code: 'invalid_input' }));
  });

  it('a set of another enclave or tentacle than the one named is invalid_input', () => {
    expect(() => apply(copies(), { enclave: 'team-b' })).toThrow(expect.objectContaining({ code: 'invalid_input' }));
    expect(() => apply(copies(), { enclave, name: 'other' })).toThrow(
      expect.objectContaining({ code: 'invalid_input' }),
    );
  });
});

function byKind(manifests: Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (!found) throw new Error(`no ${kind} was rendered`);
  return found;
}

function podSpec(manifests: Manifest[]): object {
  const template = deploymentOf(manifests).spec?.template;
  const spec = isJsonObject(template) ? template.spec : undefined;
  if (!isJsonObject(spec)) throw new Error('the Deployment has no pod template');
  return spec;
}
