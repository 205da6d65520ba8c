import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import { readCode, renderEnclave, renderTentacle } from '../../constructs/render.ts';
import { enclaveSources, rendererOptions, renderings } from './arbitraries.ts';
import { violationsOfRestricted } from './pod-security.ts';

const runs = { numRuns: 150 };

/** The value at a path of keys, where it is an object; {} where there is none. */
function at(value: JsonValue | Manifest | undefined, ...path: readonly string[]): JsonObject {
  let here: unknown = value;
  for (const key of path) here = isJsonObject(here) ? here[key] : undefined;
  return isJsonObject(here) ? here : {};
}

function only(manifests: readonly Manifest[], kind: string): Manifest {
  const [found, ...more] = manifests.filter((manifest) => manifest.kind === kind);
  if (!found || more.length > 0) throw new Error(`${more.length + 1} ${kind}`);
  return found;
}

/** The same value with the keys of every object in another order. */
function shuffled<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (_key, inner: unknown) =>
    isJsonObject(inner) ? Object.fromEntries(Object.entries(inner).reverse()) : inner,
  ) as T;
}

describe('any valid tentacle', () => {
  it('renders to the same bytes twice, whatever the order of files and of keys in the options', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const first = renderTentacle(source, options);
        const again = renderTentacle({ ...source, files: shuffled(source.files) }, shuffled(options));
        expect(JSON.stringify(again.manifests)).toBe(JSON.stringify(first.manifests));
        expect([again.specHash, again.sourceHash]).toEqual([first.specHash, first.sourceHash]);
      }),
      runs,
    );
  });

  it('renders to four objects, all in its enclave, under names that Kubernetes takes, the Deployment last', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests, name } = renderTentacle(source, options);
        expect(manifests.map(({ kind }) => kind)).toEqual(['ConfigMap', 'NetworkPolicy', 'Service', 'Deployment']);
        for (const { metadata, kind } of manifests) {
          expect(metadata.namespace).toBe(source.enclave);
          expect(metadata.name).toMatch(kind === 'ConfigMap' ? /^[a-z][-a-z0-9]{0,62}$/ : /^[a-z][-a-z0-9]{0,47}$/);
          expect(metadata.name === name || metadata.name.startsWith(`${name}-code-`)).toBe(true);
        }
      }),
      runs,
    );
  });

  it('refers to nothing outside its own names: no host path, no foreign Secret, ConfigMap, claim or account', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests, name } = renderTentacle(source, options);
        const spec = at(only(manifests, 'Deployment'), 'spec', 'template', 'spec');
        const text = JSON.stringify(spec.volumes);
        const names = [...text.matchAll(/"name":"([^"]+)"/g)].map((match) => match[1] ?? '');
        const code = only(manifests, 'ConfigMap').metadata.name;
        const own = ['code', 'secrets', 'tmp', code, `${name}-secrets`, `${name}-exo`];
        expect(names.filter((found) => !own.includes(found) && !found.startsWith('tmp-'))).toEqual([]);
        expect(spec.serviceAccountName).toBe('tentacle');
        expect(spec.automountServiceAccountToken).toBe(false);
        expect(JSON.stringify(spec)).not.toMatch(/valueFrom|envFrom|secretKeyRef/);
      }),
      runs,
    );
  });

  it('passes Pod Security restricted, with a root file system that cannot be written', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests } = renderTentacle(source, options);
        const spec = at(only(manifests, 'Deployment'), 'spec', 'template', 'spec');
        expect(violationsOfRestricted(spec)).toEqual([]);
        for (const container of spec.containers as JsonObject[]) {
          expect(at(container, 'securityContext').readOnlyRootFilesystem).toBe(true);
          expect(Object.keys(at(container, 'resources', 'limits')).sort()).toEqual(['cpu', 'memory']);
          expect(Object.keys(at(container, 'resources', 'requests')).sort()).toEqual(['cpu', 'memory']);
        }
      }),
      runs,
    );
  });

  it('carries our labels on every object and pod, and selects by exactly two of them', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests, name, version } = renderTentacle(source, options);
        const selector = { 'tentacular.io/enclave': source.enclave, 'tentacular.io/tentacle': name };
        const labels = {
          'app.kubernetes.io/managed-by': 'tentacular',
          'app.kubernetes.io/name': name,
          'app.kubernetes.io/version': version.replaceAll('+', '_'),
          'app.kubernetes.io/component': 'tentacle',
          ...selector,
        };
        const deployment = only(manifests, 'Deployment');
        for (const manifest of manifests) expect(manifest.metadata.labels).toEqual(labels);
        expect(at(deployment, 'spec', 'template', 'metadata', 'labels')).toEqual(labels);
        for (const value of Object.values(labels))
          expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
        expect(at(deployment, 'spec', 'selector', 'matchLabels')).toEqual(selector);
        expect(at(only(manifests, 'Service'), 'spec', 'selector')).toEqual(selector);
        expect(at(only(manifests, 'NetworkPolicy'), 'spec', 'podSelector', 'matchLabels')).toEqual(selector);
      }),
      runs,
    );
  });

  it('opens nothing that is not DNS, the collector, or declared by name or range in the contract', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests, workflow } = renderTentacle(source, options);
        const spec = at(only(manifests, 'NetworkPolicy'), 'spec');
        const egress = spec.egress as JsonObject[];
        const dependencies = Object.entries(workflow.contract.dependencies).sort(([a], [b]) => (a < b ? -1 : 1));
        expect(egress).toHaveLength(1 + (options.otlp ? 1 : 0) + dependencies.length);
        for (const rule of egress) {
          expect(rule.to).not.toHaveLength(0);
          expect(rule.ports).not.toHaveLength(0);
        }
        const ofContract = egress.slice(options.otlp ? 2 : 1);
        for (const [index, [, dependency]] of dependencies.entries()) {
          const rule = ofContract[index] ?? {};
          const ports = (rule.ports as { port: number; protocol: string }[]).map(({ port }) => port);
          if (dependency.type === 'host') expect(ports).toEqual([dependency.targetPort ?? dependency.port]);
          if (dependency.type === 'dynamic-target') expect(ports).toEqual(dependency.ports.map(({ port }) => port));
          for (const peer of rule.to as JsonObject[]) expectPeerIsShut(peer, options);
        }
        expect(spec.policyTypes).toEqual(['Ingress', 'Egress']);
        expect(JSON.stringify(spec.ingress)).toBe(
          JSON.stringify([
            {
              from: [
                {
                  namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': options.controlPlane.namespace } },
                  podSelector: { matchLabels: options.controlPlane.podLabels },
                },
              ],
              ports: [{ port: 8080, protocol: 'TCP' }],
            },
          ]),
        );
      }),
      runs,
    );
  });

  it('gives the engine only flags of the design: no run, no ffi, no write but /tmp, no allow-all', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const { manifests } = renderTentacle(source, options);
        const [engine] = at(only(manifests, 'Deployment'), 'spec', 'template', 'spec').containers as {
          command: string[];
          env: { name: string; value: string }[];
        }[];
        // A .npmrc that a node leaves at home would send Deno, after a restart, to registries past --allow-net.
        const home = engine?.env.find(({ name }) => name === 'HOME')?.value;
        expect([home, engine?.command]).toEqual(['/engine', expect.arrayContaining(['--allow-write=/tmp'])]);
        const [deno, run, ...flags] = engine?.command ?? [];
        expect([deno, run, flags.at(-1)]).toEqual(['deno', 'run', '/engine/main.js']);
        const names = flags.slice(0, -1).map((flag) => flag.split('=', 1)[0] ?? '');
        const fixed = [
          '--no-prompt',
          '--allow-net',
          '--deny-net',
          '--allow-read',
          '--allow-write',
          '--allow-env',
          '--ignore-env',
          '--allow-sys',
        ];
        expect(names).toEqual([...fixed, '--no-remote', '--no-npm']);
        const net =
          flags
            .find((flag) => flag.startsWith('--allow-net='))
            ?.slice('--allow-net='.length)
            .split(',') ?? [];
        // One entry is one host, or the range of a dynamic target, and one port: nothing can smuggle in another.
        for (const entry of net)
          expect(entry).toMatch(/^(?:[a-z0-9][-a-z0-9.]*|[0-9.]+\/\d{1,2}|\[[0-9a-f:]+\]):\d{1,5}$/);
      }),
      runs,
    );
  });

  it('can be read back out of its code ConfigMap, and renders to the same set again', () => {
    fc.assert(
      fc.property(renderings, ({ source, options }) => {
        const rendered = renderTentacle(source, options);
        const read = readCode(only(rendered.manifests, 'ConfigMap'));
        expect(read.files).toEqual(source.files);
        const again = renderTentacle({ ...source, ...read }, options);
        expect(again.manifests).toEqual(rendered.manifests);
        expect(again.sourceHash).toBe(rendered.sourceHash);
      }),
      runs,
    );
  });
});

/** A range that reaches a private or cluster address does so because the contract names that very range. */
function expectPeerIsShut(peer: JsonObject, options: RendererOptions): void {
  const { cidr, except = [] } = at(peer, 'ipBlock');
  if (cidr === '0.0.0.0/0') {
    const shut = [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      '169.254.0.0/16',
      ...(options.apiServerCidrs ?? []),
    ];
    expect(except).toEqual(expect.arrayContaining(shut));
  } else if (cidr === '::/0') expect(except).toEqual(expect.arrayContaining(['fc00::/7', 'fe80::/10']));
  else if (cidr === '10.0.0.0/8') expect(except).toContain('10.96.0.0/16');
  else if (cidr === undefined)
    expect(at(peer, 'namespaceSelector', 'matchLabels')).toHaveProperty(['kubernetes.io/metadata.name']);
}

describe('any valid enclave', () => {
  it('renders to the same seven objects, all its own, shut but for DNS', () => {
    fc.assert(
      fc.property(enclaveSources, rendererOptions, (source, options) => {
        const { manifests, specHash } = renderEnclave(source, options);
        expect(renderEnclave(shuffled(source), shuffled(options))).toEqual({ name: source.name, manifests, specHash });
        const [namespace, binding, ...rest] = manifests;
        expect([namespace?.kind, namespace?.metadata.name, binding?.kind]).toEqual([
          'Namespace',
          source.name,
          'RoleBinding',
        ]);
        for (const { metadata } of [binding, ...rest].filter((manifest) => manifest !== undefined))
          expect(metadata.namespace).toBe(source.name);
        for (const { metadata } of manifests) {
          expect(metadata.labels).toMatchObject({
            'app.kubernetes.io/managed-by': 'tentacular',
            'tentacular.io/enclave': source.name,
          });
          expect(metadata.labels).not.toHaveProperty(['tentacular.io/tentacle']);
        }
        for (const mode of ['enforce', 'audit', 'warn']) {
          expect(namespace?.metadata.labels).toMatchObject({
            [`pod-security.kubernetes.io/${mode}`]: 'restricted',
            [`pod-security.kubernetes.io/${mode}-version`]: 'v1.30',
          });
        }
        const policies = manifests.filter(({ kind }) => kind === 'NetworkPolicy').map((policy) => at(policy, 'spec'));
        expect(policies[0]).toEqual({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] });
        expect(policies).toHaveLength(2);
        expect(policies[1]?.egress).toHaveLength(1);
        expect(policies[1]).not.toHaveProperty('ingress');
      }),
      { numRuns: 100 },
    );
  });
});
