import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { enclave, tentacle } from './fixture.ts';
import { type Place, request, useBench, writes } from './place.ts';
import { refusal } from './suite-apply.ts';

const canary = 'canary-9f1c';

/** Secrets, diff, drift, remove, restart, history, provisioning, and what the guard refuses. */
export function verbsSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`verbs on ${title}`, () => {
    const bench = useBench(openPlace);

    const keysOf = (there: ReadonlyMap<string, Manifest>, name: string) => {
      const data = there.get(`Secret/${name}-secrets`)?.data ?? {};
      const read = (value: unknown) => JSON.parse(Buffer.from(String(value), 'base64').toString());
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, read(value)]));
    };

    it('a service given replaces its key, null removes it, an absent one stays, none given touches nothing', async () => {
      const { cluster, namespace, inventory } = bench();
      const fixture = { secretServices: ['a', 'b', 'c'] };
      const first = await cluster.apply(
        request(namespace, 'keys', fixture, { secrets: { a: { k: '1' }, b: { k: '2' } } }),
      );
      expect(first.missingSecrets).toEqual(['c']);
      const second = await cluster.apply(request(namespace, 'keys', fixture, { secrets: { a: null, c: { k: '3' } } }));
      expect(second.missingSecrets).toEqual(['a']);
      expect(keysOf(await inventory(), 'keys')).toEqual({ b: { k: '2' }, c: { k: '3' } });
      const third = await cluster.apply(request(namespace, 'keys', fixture));
      expect(third).toMatchObject({ status: 'unchanged', missingSecrets: ['a'] });
      expect(keysOf(await inventory(), 'keys')).toEqual({ b: { k: '2' }, c: { k: '3' } });
    });

    it('credentials that something else puts there are not missing, and stay as they are', async () => {
      const { cluster, namespace, other, inventory } = bench();
      const metadata = { name: 'external-secrets', namespace };
      const data = { a: Buffer.from('{"k":"1"}').toString('base64') };
      await other.create({ apiVersion: 'v1', kind: 'Secret', metadata, data });
      const before = (await inventory()).get('Secret/external-secrets');
      const set = request(namespace, 'external', { secretServices: ['a', 'b'] });
      expect((await cluster.apply({ ...set, dryRun: true })).missingSecrets).toEqual(['b']);
      expect((await cluster.apply(set)).missingSecrets).toEqual(['b']);
      expect(await cluster.apply(set)).toMatchObject({ status: 'unchanged', missingSecrets: ['b'] });
      const given = { ...set, secrets: { b: { k: '2' } } };
      expect(await refusal(cluster.apply(given))).toMatchObject({ code: 'conflict' });
      expect((await inventory()).get('Secret/external-secrets')).toEqual(before);
    });

    it('a diff says what an apply would do, writes nothing, and tells of Secrets only same or changed', async () => {
      const { cluster, namespace, records, forget } = bench();
      const secrets = { db: { password: canary }, old: { x: 'y' } };
      await cluster.apply(request(namespace, 'differs', { extraPolicy: true }, { secrets }));
      forget();
      const rendered = tentacle(namespace, 'differs', { egressPort: 80 });
      const result = await cluster.diff({
        rendered,
        secrets: { db: { password: `${canary}2` }, fresh: { a: canary }, old: null },
      });
      expect(result.objects.map(({ kind, name, action }) => `${kind} ${name} ${action}`)).toEqual([
        `ConfigMap ${rendered.manifests[0]?.metadata.name} unchanged`,
        'Service differs unchanged',
        'NetworkPolicy differs update',
        'Deployment differs update',
        'Secret differs-secrets update',
        'NetworkPolicy differs-extra prune',
      ]);
      expect(result.objects[4]?.secret).toEqual({ db: 'changed', fresh: 'added', old: 'removed' });
      expect(result.objects[2]?.diff).toMatch(/^-\s+(- )?port: 443$/m);
      expect(result.objects[2]?.diff).toMatch(/^\+\s+(- )?port: 80$/m);
      expect(result.objects[3]?.diff).not.toContain('deployed-');
      expect(JSON.stringify(result)).not.toContain(canary);
      expect(JSON.stringify(result)).not.toContain(Buffer.from(canary).toString('base64').slice(0, 12));
      expect(result).toMatchObject({ changed: true, revision: 1, conflicts: [] });
      expect(writes(records)).toEqual([]);
    });

    it('a diff without a difference says so, of a new tentacle that all is created', async () => {
      const { cluster, namespace } = bench();
      const fresh = await cluster.diff({ rendered: tentacle(namespace, 'level') });
      expect(new Set(fresh.objects.map((object) => object.action))).toEqual(new Set(['create']));
      expect(fresh.objects.at(-1)?.diff).toContain('+kind: Deployment');
      await cluster.apply(request(namespace, 'level'));
      expect(await cluster.diff({ rendered: tentacle(namespace, 'level') })).toMatchObject({
        changed: false,
        revision: 1,
      });
    });

    it('drift names each changed field with its owner, and an object that is gone', async () => {
      const { cluster, namespace, other } = bench();
      await cluster.apply(request(namespace, 'drifts'));
      expect(await cluster.drift({ enclave: namespace, name: 'drifts' })).toMatchObject({ drifted: false, fields: [] });
      const metadata = { name: 'drifts', namespace };
      await other.apply(
        { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: { egress: [{}] } },
        { force: true },
      );
      await other.delete({ apiVersion: 'v1', kind: 'Service', namespace, name: 'drifts' });
      const drift = await cluster.drift({ enclave: namespace, name: 'drifts' });
      expect(drift.drifted).toBe(true);
      expect(drift.objects.map(({ kind, action }) => `${kind} ${action}`)).toEqual([
        'ConfigMap unchanged',
        'Service create',
        'NetworkPolicy update',
        'Deployment unchanged',
      ]);
      expect(drift.fields).toMatchObject([{ field: '.spec.egress', owner: 'somebody-else', theirs: [{}] }]);
      expect(await refusal(cluster.drift({ enclave: namespace, name: 'nobody' }))).toMatchObject({ code: 'not_found' });
    });

    // Harm prevented: a container that somebody adds mounts the credentials of a tentacle, and everything looks well.
    it('drift names what somebody added beside the set, with its owner; restarts are none', async () => {
      const { cluster, namespace, other } = bench();
      await cluster.apply(request(namespace, 'added'));
      const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'added', namespace } };
      const restarted = { 'kubectl.kubernetes.io/restartedAt': '2026-07-28T12:00:00Z' };
      const template = { metadata: { annotations: restarted } };
      await other.apply({ ...deployment, spec: { template } });
      await cluster.restart(namespace, 'added');
      const drift = () => cluster.drift({ enclave: namespace, name: 'added' });
      expect(await drift()).toMatchObject({ drifted: false, fields: [], added: 0 });
      const container = { name: 'extra', image: 'localhost/pause:1' };
      await other.apply({ ...deployment, spec: { template: { ...template, spec: { containers: [container] } } } });
      const found = await drift();
      expect(found).toMatchObject({ drifted: true, added: 1 });
      const field = '.spec.template.spec.containers[name="extra"]';
      expect(found.fields).toMatchObject([{ field, owner: 'somebody-else', theirs: container }]);
      expect(found.objects.find(({ kind }) => kind === 'Deployment')?.diff).toMatch(/^-\s+- .*\n?-?.*extra/m);
      expect((await cluster.apply(request(namespace, 'added'))).status).toBe('unchanged');
      await other.apply({ ...deployment, spec: { template } });
      expect(await drift()).toMatchObject({ drifted: false });
    });

    // Harm prevented: who may write ConfigMaps says what a tentacle is compared with, and the server carries it out.
    it('a revision that somebody else put in its place is none', async () => {
      const { cluster, namespace, other } = bench();
      await cluster.apply(request(namespace, 'forged'));
      const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'forged-rev-1' };
      const { data = {}, metadata } = (await other.get(ref)) ?? { metadata: { name: '' } };
      await other.delete(ref);
      const { annotations = {} } = metadata;
      const unlabelled = { name: ref.name, namespace, annotations };
      await other.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: unlabelled, data });
      expect(await refusal(cluster.drift({ enclave: namespace, name: 'forged' }))).toMatchObject({ code: 'not_found' });
      expect(await cluster.revision(namespace, 'forged', 1)).toBeUndefined();
      expect(await cluster.history(namespace, 'forged')).toEqual([]);
    });

    it('remove lists in a dry run exactly what then goes, and a second remove finds nothing', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'leaves', { extraPolicy: true }, { secrets: { a: { b: 'c' } } }));
      const gone = { enclave: namespace, name: 'leaves' };
      const preview = await cluster.remove({ ...gone, dryRun: true });
      expect((await inventory()).has('Deployment/leaves')).toBe(true);
      const result = await cluster.remove(gone);
      expect(result.deleted).toEqual(preview.deleted);
      expect(result.deleted).toHaveLength(7);
      // It says whose the tentacle is for as long as anything of it is there.
      expect(result.deleted.at(-1)?.kind).toBe('Deployment');
      expect([...(await inventory()).keys()].filter((key) => key.includes('leaves'))).toEqual([]);
      expect((await cluster.remove(gone)).deleted).toEqual([]);
    });

    it('keep_history leaves revisions and code, no credentials, and the name is free for another source at once', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'kept', {}, { secrets: { a: { b: 'c' } } }));
      await cluster.remove({ enclave: namespace, name: 'kept', keepHistory: true });
      const left = [...(await inventory()).keys()].filter((key) => key.includes('/kept'));
      expect(left.map((key) => key.replace(/-code-.*/, '-code'))).toEqual([
        'ConfigMap/kept-code',
        'ConfigMap/kept-rev-1',
      ]);
      const stored = await cluster.revision(namespace, 'kept', 1);
      expect(stored?.manifests.map((m) => m.kind)).toEqual(['ConfigMap', 'Service', 'NetworkPolicy', 'Deployment']);
      const back = await cluster.apply(request(namespace, 'kept', { code: '// other' }));
      expect(back).toMatchObject({ status: 'created', revision: 2 });
    });

    it('a revision tells who, when and from what, holds no code and no Secret, and is read back as applied', async () => {
      const { cluster, namespace, inventory } = bench();
      const code = '// code-that-must-not-be-doubled';
      const wanted = request(
        namespace,
        'told',
        { code },
        { git: { sha: 'abc123', url: 'https://git.example' }, secrets: { a: { b: canary } } },
      );
      await cluster.apply(wanted);
      expect(await cluster.history(namespace, 'told')).toMatchObject([
        {
          revision: 1,
          specHash: wanted.rendered.specHash,
          sourceHash: wanted.rendered.sourceHash,
          version: '1.0.0',
          by: 'o@example.com',
          gitSha: 'abc123',
          gitUrl: 'https://git.example',
          finished: true,
          live: true,
        },
      ]);
      const text = JSON.stringify((await inventory()).get('ConfigMap/told-rev-1'));
      expect(text).not.toContain('code-that-must-not-be-doubled');
      expect(text).not.toContain(canary);
      const stored = await cluster.revision(namespace, 'told', 1);
      expect(stored?.manifests.at(-1)).toEqual(wanted.rendered.manifests.at(-1));
      expect(stored).toMatchObject({
        rendererVersion: 'test/1',
        rendererOptions: { engineImage: 'localhost/pause:1' },
      });
      expect(await cluster.revision(namespace, 'told', 2)).toBeUndefined();
    });

    it('a restart changes the pod template, survives the next apply, and counts as no change', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'again'));
      await cluster.restart(namespace, 'again');
      const restarted = JSON.stringify((await inventory()).get('Deployment/again')?.spec);
      expect(restarted).toContain('tentacular.io/restarted-at');
      expect((await cluster.apply(request(namespace, 'again'))).status).toBe('unchanged');
      await cluster.apply(request(namespace, 'again', { version: '1.2.0' }));
      expect(JSON.stringify((await inventory()).get('Deployment/again')?.spec)).toContain('tentacular.io/restarted-at');
      expect(await refusal(cluster.restart(namespace, 'absent'))).toMatchObject({ code: 'not_found' });
    });

    it('a namespace is never adopted: of somebody else, or of another owner, it is a conflict and stays as it is', async () => {
      const { cluster, namespace, other } = bench();
      const name = `${namespace}-foreign`;
      const foreign = await other.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      expect(await refusal(cluster.provision(enclave({ name, ownerSub: 'me' }), {}))).toMatchObject({
        code: 'conflict',
      });
      const after = await other.get({ apiVersion: 'v1', kind: 'Namespace', name });
      expect(after?.metadata.labels).toEqual(foreign.metadata.labels);
      await other.delete({ apiVersion: 'v1', kind: 'Namespace', name });
      const stolen = enclave({ name: namespace, ownerSub: 'thief' });
      expect(await refusal(cluster.provision(stolen, {}))).toMatchObject({ code: 'conflict' });
      const own = await cluster.enclave(namespace);
      expect(own?.metadata.annotations?.[annotationKeys.ownerSub]).toBe('owner');
    });

    it('provisioning again for the same owner changes nothing, and brings back what is missing', async () => {
      const { cluster, namespace, other, records, forget } = bench();
      const rendered = enclave({ name: namespace, ownerSub: 'owner' });
      forget();
      expect(await cluster.provision(rendered, {})).toMatchObject({ created: false });
      expect(writes(records).filter((r) => r.status < 300)).toEqual([]);
      const policy = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace, name: 'default-deny' };
      await other.delete(policy);
      const mended = await cluster.provision(rendered, {});
      expect(mended.resources.filter((r) => r.outcome !== 'unchanged').map((r) => r.name)).toEqual(['default-deny']);
      expect(await other.get(policy)).toBeDefined();
    });

    it('rights that come a moment late are waited for', async () => {
      const { cluster, namespace, proxy, other } = bench();
      const name = `${namespace}-late`;
      let refused = 0;
      proxy.rule(({ method, path }) =>
        method === 'PATCH' && path.includes('resourcequotas') && refused++ < 3
          ? {
              status: 403,
              body: '{"kind":"Status","reason":"Forbidden","message":"may not patch resourcequotas","code":403}',
            }
          : 'pass',
      );
      const result = await cluster.provision(enclave({ name, ownerSub: 'owner' }), {});
      proxy.rule(() => 'pass');
      expect(result.resources.every((r) => r.outcome === 'created')).toBe(true);
      expect(refused).toBe(4);
      await other.delete({ apiVersion: 'v1', kind: 'Namespace', name });
    });

    it('deprovisioning lists in a dry run, refuses what is not ours, and deletes the namespace', async () => {
      const { cluster, namespace, other } = bench();
      const name = `${namespace}-ends`;
      await cluster.provision(enclave({ name, ownerSub: 'owner' }), {});
      await cluster.apply(request(name, 'inside'));
      expect(await cluster.deprovision(name, { dryRun: true })).toEqual({
        tentacles: ['inside'],
        namespaceDeleted: false,
      });
      expect(await cluster.deprovision(name, { waitMs: 0 })).toMatchObject({ tentacles: ['inside'] });
      const there = await other.get({ apiVersion: 'v1', kind: 'Namespace', name });
      expect(there === undefined || there.metadata.deletionTimestamp !== undefined).toBe(true);
      for (const foreign of ['default', 'kube-system', `${namespace}-nowhere`]) {
        expect(await refusal(cluster.deprovision(foreign))).toMatchObject({ code: 'not_found' });
      }
    });
  });
}
