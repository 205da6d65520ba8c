import { describe, expect, it } from 'vitest';
import { managedBy } from '../../../constructs/model/labels.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { enclave, tentacle } from './fixture.ts';
import { type Place, request, useBench, writes } from './place.ts';
import { refusal } from './suite-apply.ts';

/** The guard inside the writer: the confused deputy stops here, whatever a tool forgets. */
export function guardSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`the guard on ${title}`, () => {
    const bench = useBench(openPlace);

    const labels = (enclaveName: string) => ({
      'app.kubernetes.io/managed-by': managedBy,
      'tentacular.io/enclave': enclaveName,
      'tentacular.io/tentacle': 'x',
    });
    const object = (namespace: string, over: Partial<Manifest['metadata']> = {}): Manifest => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'guarded', namespace, labels: labels(namespace), resourceVersion: '1', ...over },
    });

    it('refuses every write outside an enclave, of another kind, without our label, or without a version', async () => {
      const { cluster, namespace, other, records, forget } = bench();
      const name = `${namespace}-plain`;
      await other.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      forget();
      const { writer } = cluster;
      const cases: readonly (readonly [string, Manifest])[] = [
        ['not_found', object(name)],
        ['policy_violation', object('kube-system')],
        ['policy_violation', object('default')],
        ['policy_violation', object(namespace, { labels: {} })],
        ['policy_violation', object(namespace, { labels: labels('other') })],
        ['policy_violation', object(namespace, { namespace: '' })],
        ['policy_violation', { ...object(namespace), kind: 'Role', apiVersion: 'rbac.authorization.k8s.io/v1' }],
        ['policy_violation', { ...object(namespace), kind: 'Pod' }],
        [
          'policy_violation',
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-x', labels: labels('kube-x') } },
        ],
        ['policy_violation', object('tentacular-system')],
        // Labels that fit, and a name that leads out of the path to it.
        ['policy_violation', object('../kube-system')],
        ['policy_violation', object(`${namespace}/../kube-system`)],
        ['policy_violation', object(`${namespace}%2f..%2fkube-system`)],
        ['policy_violation', object(namespace.toUpperCase())],
        ['policy_violation', object(namespace, { name: '../../kube-system/configmaps/x' })],
        ['policy_violation', object(namespace, { name: '..' })],
        ['policy_violation', object(namespace, { name: 'x?dryRun=All' })],
        ['policy_violation', object(namespace, { name: '' })],
        ['policy_violation', object(namespace, { name: 'x'.repeat(254) })],
        ['policy_violation', { ...object(namespace), apiVersion: 'v1/../apps/v1' }],
        [
          'policy_violation',
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '../x', labels: labels('../x') } },
        ],
        [
          'policy_violation',
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'nolabel', resourceVersion: '1' } },
        ],
      ];
      for (const [code, manifest] of cases) {
        const live = { ...manifest, metadata: { ...manifest.metadata, uid: 'u' } };
        for (const act of [
          () => writer.create(manifest),
          () => writer.apply({ ...manifest, metadata: { resourceVersion: '1', ...manifest.metadata } }),
          () => writer.delete(live),
          () => writer.applyFields(live, {}, 'x'),
        ]) {
          expect((await refusal(act())).code, JSON.stringify(manifest)).toBe(code);
        }
      }
      const { resourceVersion: _version, ...bare } = object(namespace).metadata;
      expect(await refusal(writer.apply({ ...object(namespace), metadata: bare }))).toMatchObject({
        code: 'policy_violation',
      });
      expect(writes(records)).toEqual([]);
      await other.delete({ apiVersion: 'v1', kind: 'Namespace', name });
    });

    it('a namespace whose labels say another name, or a reserved one, is no enclave, and nothing is written into it', async () => {
      const { cluster, namespace, other, records, forget } = bench();
      const name = `${namespace}-other`;
      await other.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: labels(namespace) } });
      forget();
      expect(await cluster.enclave(name)).toBeUndefined();
      for (const enclaveName of [name, namespace]) {
        const manifest = object(name, { labels: labels(enclaveName) });
        expect((await refusal(cluster.writer.create(manifest))).code).toMatch(/not_found|policy_violation/);
      }
      expect((await refusal(cluster.apply(request(name, 'x')))).code).toBe('not_found');
      expect((await refusal(cluster.provision(enclave({ name }), {}))).code).toBe('conflict');
      // Making the namespace is all that was tried, and it was refused: it is there.
      expect(writes(records).map(({ status }) => status)).toEqual([409]);
      await other.delete({ apiVersion: 'v1', kind: 'Namespace', name });
    });

    it('no verb touches a namespace that is not ours', async () => {
      const { cluster, records, forget } = bench();
      forget();
      const foreign = 'default';
      expect((await refusal(cluster.apply(request(foreign, 'x')))).code).toMatch(/not_found|policy_violation/);
      expect((await refusal(cluster.remove({ enclave: foreign, name: 'x' }))).code).toBe('not_found');
      expect((await refusal(cluster.diff({ rendered: tentacle(foreign, 'x') }))).code).toBe('not_found');
      expect((await refusal(cluster.provision(enclave({ name: 'kube-system' }), {}))).code).toBe('invalid_input');
      expect(await cluster.enclave(foreign)).toBeUndefined();
      expect(writes(records)).toEqual([]);
    });
  });
}
