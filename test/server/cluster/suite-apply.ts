import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import { TentacularError } from '../../../constructs/model/errors.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { type Place, request, told, useBench, writes } from './place.ts';

/** The error that a promise rejects with; fails where it does not. */
export async function refusal(promise: Promise<unknown>): Promise<TentacularError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof TentacularError) return error;
  throw new Error(`expected a TentacularError, got ${String(error)}`);
}

/** How a set is applied: the rules of model.md, against any API server. */
export function applySuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`apply on ${title}`, () => {
    const bench = useBench(openPlace);

    it('a new tentacle is created object by object, the Deployment last, within one request an object and three', async () => {
      const { cluster, namespace, records, forget, inventory } = bench();
      const secrets = { db: { password: 'canary-1' } };
      const replica = await bench().replica();
      await replica.enclave(namespace);
      forget();
      const result = await cluster.apply(request(namespace, 'fresh', {}, { secrets }));
      expect(told(result.applied)).toEqual([
        'ConfigMap created',
        'Service created',
        'NetworkPolicy created',
        'Secret created',
        'Deployment created',
      ]);
      expect(result).toMatchObject({ status: 'created', revision: 1, pruned: [], resumed: false });
      const objects = result.applied.length + 1;
      expect(records.length).toBeLessThanOrEqual(objects + 3);
      const there = await inventory();
      expect(there.get('Deployment/fresh')?.metadata.annotations).toMatchObject({
        [annotationKeys.revision]: '1',
        [annotationKeys.ownerSub]: 'owner',
        [annotationKeys.mode]: 'rwxr-x---',
        [annotationKeys.deployedBy]: 'o@example.com',
      });
      expect(JSON.stringify(there.get('ConfigMap/fresh-rev-1'))).not.toContain('canary-1');
    });

    it('an unchanged apply writes nothing and reads each object once at most', async () => {
      const { cluster, namespace, records, forget, inventory } = bench();
      const again = request(namespace, 'same', {}, { secrets: { db: { password: 'x' } } });
      await cluster.apply(again);
      const before = await inventory();
      forget();
      const result = await cluster.apply(again);
      expect(result).toMatchObject({ status: 'unchanged', revision: 1 });
      expect(new Set(told(result.applied).map((line) => line.split(' ')[1]))).toEqual(new Set(['unchanged']));
      expect(writes(records)).toEqual([]);
      expect(records.filter((record) => record.dryRun)).toEqual([]);
      expect(records.length).toBeLessThanOrEqual(result.applied.length + 2);
      expect(versions(await inventory())).toEqual(versions(before));
    });

    it('only what changed is written, and the Deployment takes the next revision', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'partly'));
      const before = await inventory();
      const result = await cluster.apply(request(namespace, 'partly', { egressPort: 80 }));
      expect(told(result.applied)).toEqual([
        'ConfigMap unchanged',
        'Service unchanged',
        'NetworkPolicy configured',
        'Deployment configured',
      ]);
      expect(result).toMatchObject({ status: 'updated', revision: 2 });
      const after = await inventory();
      const name = 'Service/partly';
      expect(after.get(name)?.metadata.resourceVersion).toBe(before.get(name)?.metadata.resourceVersion);
      expect(after.get('NetworkPolicy/partly')?.spec).toMatchObject({ egress: [{ ports: [{ port: 80 }] }] });
    });

    it('a peer that is taken out of a policy goes, though the rest of its rule stays', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'narrow'));
      const narrower = request(namespace, 'narrow');
      const policy = narrower.rendered.manifests.find((m) => m.kind === 'NetworkPolicy');
      if (policy?.spec) policy.spec.egress = [{ ports: [{ port: 443 }] }];
      const result = await cluster.apply({ ...narrower, rendered: { ...narrower.rendered, specHash: 'other' } });
      expect(told(result.applied)).toContain('NetworkPolicy configured');
      expect(JSON.stringify((await inventory()).get('NetworkPolicy/narrow')?.spec)).not.toContain('namespaceSelector');
    });

    it('the last rule of a policy goes when the set has none any more', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(request(namespace, 'closed'));
      const closed = request(namespace, 'closed');
      const policy = closed.rendered.manifests.find((m) => m.kind === 'NetworkPolicy');
      if (policy?.spec) policy.spec.egress = [];
      const set = { ...closed, rendered: { ...closed.rendered, specHash: 'other' } };
      expect(told((await cluster.apply(set)).applied)).toContain('NetworkPolicy configured');
      expect((await inventory()).get('NetworkPolicy/closed')?.spec?.egress).toBeUndefined();
    });

    it('an update keeps owner, mode and time of creation, and stamps who came last', async () => {
      const { cluster, namespace, inventory } = bench();
      await cluster.apply(
        request(namespace, 'stamped', {}, { stamps: { ...request('x', 'x').stamps, at: '2026-01-01T00:00:00Z' } }),
      );
      const stamps = { owner: { sub: 'thief' }, mode: 'rwxrwxrwx', deployedBy: 'second', at: '2026-02-02T00:00:00Z' };
      await cluster.apply(request(namespace, 'stamped', { version: '1.0.1' }, { stamps }));
      expect((await inventory()).get('Deployment/stamped')?.metadata.annotations).toMatchObject({
        [annotationKeys.ownerSub]: 'owner',
        [annotationKeys.mode]: 'rwxr-x---',
        [annotationKeys.createdAt]: '2026-01-01T00:00:00Z',
        [annotationKeys.deployedBy]: 'second',
        [annotationKeys.deployedAt]: '2026-02-02T00:00:00Z',
      });
    });

    it("somebody else's object of the same name is a conflict, untouched, and a new tentacle leaves nothing behind", async () => {
      const { cluster, namespace, other, inventory } = bench();
      const metadata = { name: 'taken', namespace, labels: { whose: 'theirs' } };
      await other.create({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ port: 1 }] } });
      const before = await inventory();
      const error = await refusal(cluster.apply(request(namespace, 'taken')));
      expect(error).toMatchObject({ code: 'conflict', details: { object: `Service/${namespace}/taken` } });
      expect(versions(await inventory())).toEqual(versions(before));
    });

    it('a field that somebody else changed is told with both values before anything is written', async () => {
      const { cluster, namespace, other, records, forget } = bench();
      await cluster.apply(request(namespace, 'edited'));
      await editImage(other, namespace, 'edited', 'localhost/evil:1');
      forget();
      const error = await refusal(cluster.apply(request(namespace, 'edited')));
      expect(error.code).toBe('conflict');
      expect(error.details).toMatchObject({
        choices: ['take', 'keep'],
        conflicts: [
          {
            object: `Deployment/${namespace}/edited`,
            field: '.spec.template.spec.containers[name="engine"].image',
            owner: 'somebody-else',
            ours: 'localhost/pause:1',
            theirs: 'localhost/evil:1',
          },
        ],
      });
      expect(writes(records)).toEqual([]);
    });

    it('take sets our value again, and the next apply finds nothing to do', async () => {
      const { cluster, namespace, other, inventory } = bench();
      await cluster.apply(request(namespace, 'taking'));
      await editImage(other, namespace, 'taking', 'localhost/evil:1');
      const result = await cluster.apply(request(namespace, 'taking', {}, { onConflict: 'take' }));
      expect(told(result.applied)).toContain('Deployment configured');
      expect(imageOf((await inventory()).get('Deployment/taking'))).toBe('localhost/pause:1');
      expect((await cluster.apply(request(namespace, 'taking'))).status).toBe('unchanged');
    });

    it('keep leaves the field to its owner and says so, now and the next time, without a write', async () => {
      const { cluster, namespace, other, inventory, records, forget } = bench();
      await cluster.apply(request(namespace, 'keeping'));
      await editImage(other, namespace, 'keeping', 'localhost/theirs:1');
      const keep = request(namespace, 'keeping', { egressPort: 81 }, { onConflict: 'keep' });
      const result = await cluster.apply(keep);
      expect(result.kept.map((conflict) => conflict.owner)).toEqual(['somebody-else']);
      expect(imageOf((await inventory()).get('Deployment/keeping'))).toBe('localhost/theirs:1');
      forget();
      expect(await cluster.apply(keep)).toMatchObject({ status: 'unchanged', kept: [{ owner: 'somebody-else' }] });
      expect(writes(records)).toEqual([]);
    });

    it('an object that somebody deleted comes back, and the rest is left alone', async () => {
      const { cluster, namespace, other, inventory } = bench();
      await cluster.apply(request(namespace, 'mended'));
      await other.delete({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', namespace, name: 'mended' });
      const result = await cluster.apply(request(namespace, 'mended'));
      expect(told(result.applied)).toEqual([
        'ConfigMap unchanged',
        'Service unchanged',
        'NetworkPolicy created',
        'Deployment configured',
      ]);
      expect((await inventory()).has('NetworkPolicy/mended')).toBe(true);
    });

    it('what the set no longer holds is pruned; history, Secrets and what others made stay', async () => {
      const { cluster, namespace, other, inventory } = bench();
      await cluster.apply(request(namespace, 'pruned', { extraPolicy: true }, { secrets: { db: { a: 'b' } } }));
      const theirs = { name: 'pruned-theirs', namespace, labels: { app: 'x' } };
      await other.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: theirs, data: {} });
      const preview = await cluster.apply(request(namespace, 'pruned', {}, { dryRun: true }));
      const result = await cluster.apply(request(namespace, 'pruned'));
      expect(result.pruned).toEqual([
        {
          object: `NetworkPolicy/${namespace}/pruned-extra`,
          kind: 'NetworkPolicy',
          name: 'pruned-extra',
          outcome: 'deleted',
        },
      ]);
      expect(preview.pruned).toEqual(result.pruned);
      const there = await inventory();
      expect(there.has('NetworkPolicy/pruned-extra')).toBe(false);
      for (const key of ['ConfigMap/pruned-rev-1', 'Secret/pruned-secrets', 'ConfigMap/pruned-theirs']) {
        expect(there.has(key)).toBe(true);
      }
    });

    it('ten revisions are kept, and code goes only when none of them names it', async () => {
      const { cluster, namespace, inventory } = bench();
      for (let round = 1; round <= 12; round++) {
        await cluster.apply(request(namespace, 'many', { code: `// ${Math.max(2, round)}` }));
      }
      const names = [...(await inventory()).keys()].filter((key) => key.startsWith('ConfigMap/many-'));
      const revisions = names.filter((key) => key.includes('-rev-'));
      // The second apply changed nothing, so twelve calls make eleven revisions.
      expect(revisions).toHaveLength(10);
      expect(revisions).not.toContain('ConfigMap/many-rev-1');
      expect((await cluster.history(namespace, 'many'))[0]).toMatchObject({ revision: 11, live: true, finished: true });
      expect(names.filter((key) => key.includes('-code-')).length).toBeGreaterThanOrEqual(10);
    });

    it('a dry run is judged by the API server and writes nothing', async () => {
      const { cluster, namespace, records, forget, inventory } = bench();
      const before = await inventory();
      forget();
      const result = await cluster.apply(
        request(namespace, 'rehearsed', {}, { dryRun: true, secrets: { a: { b: 'c' } } }),
      );
      expect(result).toMatchObject({ status: 'created', revision: 1 });
      expect(result.applied).toHaveLength(5);
      expect(writes(records)).toEqual([]);
      expect(versions(await inventory())).toEqual(versions(before));
    });

    it('a mistyped security field is invalid_input that names it, never silence', async () => {
      const { cluster, namespace, inventory } = bench();
      const before = await inventory();
      const typo = request(namespace, 'typo', { podExtra: { automountServiceAcountToken: false } });
      const error = await refusal(cluster.apply(typo));
      expect(error.code).toBe('invalid_input');
      expect(error.message).toContain('automountServiceAcountToken');
      expect(versions(await inventory())).toEqual(versions(before));
      expect((await cluster.apply(request(namespace, 'typo'))).status).toBe('created');
    });

    it('expected_revision holds only for exactly that revision', async () => {
      const { cluster, namespace } = bench();
      expect((await cluster.apply(request(namespace, 'expected', {}, { expectedRevision: 0 }))).revision).toBe(1);
      const late = request(namespace, 'expected', { code: '//2' }, { expectedRevision: 0 });
      expect(await refusal(cluster.apply(late))).toMatchObject({ code: 'conflict', details: { revision: 1 } });
      expect((await cluster.apply({ ...late, expectedRevision: 1 })).revision).toBe(2);
    });
  });
}

/** What changes with every write of ours; of a Deployment not the version, which its controllers move all the time. */
function versions(objects: ReadonlyMap<string, Manifest>): Record<string, string> {
  const stateOf = ({ kind, metadata }: Manifest) => {
    if (kind !== 'Deployment') return metadata.resourceVersion ?? '';
    const own = Object.entries(metadata.annotations ?? {}).filter(([key]) => key.startsWith('tentacular.io/'));
    return JSON.stringify([metadata.uid, metadata.generation, own.sort()]);
  };
  return Object.fromEntries([...objects].map(([key, object]) => [key, stateOf(object)]).sort());
}

function imageOf(deployment: Manifest | undefined): unknown {
  const found = JSON.parse(JSON.stringify(deployment?.spec ?? {}));
  return found.template?.spec?.containers?.[0]?.image;
}

async function editImage(
  other: { apply(manifest: Manifest, options: { force: boolean }): Promise<Manifest> },
  namespace: string,
  name: string,
  image: string,
): Promise<void> {
  await other.apply(
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace },
      spec: { template: { spec: { containers: [{ name: 'engine', image }] } } },
    },
    { force: true },
  );
}
