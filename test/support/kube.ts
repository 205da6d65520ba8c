import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { eventually } from './eventually.ts';

const run = promisify(execFile);

/**
 * kubectl as an independent witness: the tests look at the cluster with another program than the one under test.
 */
export interface Kube {
  /** stdout of a kubectl call; throws with stderr on a non-zero exit. */
  kubectl(args: readonly string[], stdin?: string): Promise<string>;
  /** One object, or undefined where there is none. */
  get(resource: string, name: string, namespace?: string): Promise<Manifest | undefined>;
  list(resource: string, namespace?: string, selector?: string): Promise<Manifest[]>;
  apply(manifests: readonly object[]): Promise<void>;
  /**
   * Makes a namespace that pods can be made in: its default ServiceAccount comes from a controller a moment later, and
   * until then the API server refuses them.
   */
  makeNamespace(name: string, labels?: Readonly<Record<string, string>>): Promise<void>;
  /** Deletes and waits until it is gone; absent is fine. */
  remove(resource: string, name: string, namespace?: string): Promise<void>;
}

export function createKube(kubectl: string, kubeconfig: string): Kube {
  const exec = async (args: readonly string[], stdin?: string): Promise<string> => {
    const child = run(kubectl, ['--kubeconfig', kubeconfig, '--request-timeout=60s', ...args], {
      maxBuffer: 64 * 1024 * 1024,
      timeout: 180_000,
    });
    if (stdin !== undefined) child.child.stdin?.end(stdin);
    return (await child).stdout;
  };
  const apply = async (manifests: readonly object[]): Promise<void> => {
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    await exec(['apply', '--server-side', '-f', '-'], JSON.stringify(list));
  };
  const scope = (namespace?: string) => (namespace === undefined ? [] : ['-n', namespace]);
  return {
    kubectl: exec,
    async get(resource, name, namespace) {
      const text = await exec(['get', resource, name, ...scope(namespace), '--ignore-not-found', '-o', 'json']);
      return text.trim() === '' ? undefined : (JSON.parse(text) as Manifest);
    },
    async list(resource, namespace, selector) {
      const filter = selector === undefined ? [] : ['-l', selector];
      const text = await exec(['get', resource, ...scope(namespace), ...filter, '-o', 'json']);
      return (JSON.parse(text) as { items: Manifest[] }).items;
    },
    apply,
    async makeNamespace(name, labels = {}) {
      await apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }]);
      const account = () => exec(['get', 'serviceaccount', 'default', '-n', name, '--ignore-not-found', '-o', 'name']);
      await eventually(`${name} has its ServiceAccount`, account, { done: (text) => text.trim() !== '' });
    },
    async remove(resource, name, namespace) {
      await exec(['delete', resource, name, ...scope(namespace), '--ignore-not-found', '--wait', '--timeout=120s']);
    },
  };
}
