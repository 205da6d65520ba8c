import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { type ApplyRequest, type CallOptions, type Cluster, createCluster } from '../../../server/cluster/index.ts';
import { enclave } from './fixture.ts';
import { type Bench, type Place, request, useBench } from './place.ts';

type Moment = 'before' | 'after';

/** How long the victim may still ask a network that is dead, in milliseconds. */
const agonyMs = 150;

/**
 * Runs `act` over a network that dies at its k-th write: `before` it reaches the API server, or `after` it was
 * carried out, its answer lost. Everything later is lost too, as with a process that was killed.
 * Returns false where `act` needed fewer writes than that.
 */
async function crashAt(
  bench: Bench,
  k: number,
  moment: Moment,
  act: (cluster: Cluster, call: CallOptions) => Promise<unknown>,
) {
  let count = 0;
  let dead = false;
  const end = new AbortController();
  // From the first request that is dropped on, and not before: an API server that is slow is no dead one, and the write
  // whose answer gets lost is to be carried out.
  let agony: NodeJS.Timeout | undefined;
  const drop = () => {
    agony ??= setTimeout(() => end.abort(), agonyMs);
    return 'drop' as const;
  };
  bench.proxy.rule(({ isWrite }) => {
    if (dead) return drop();
    if (!isWrite || ++count < k) return 'pass';
    dead = true;
    return moment === 'before' ? drop() : 'lose';
  });
  const victim = await createCluster({ connection: bench.proxy.connection });
  try {
    await act(victim, { signal: end.signal });
  } catch (error) {
    // That it fails once it is dead is the point; what it leaves behind is looked at by the caller.
    if (!dead) throw error;
  } finally {
    clearTimeout(agony);
    await victim.close();
    bench.proxy.rule(() => 'pass');
  }
  return dead;
}

const maxWrites = 30;

/** A crash between any two writes is mended by the same call: for each write, before and after it. */
export function crashSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`crashes on ${title}`, () => {
    const bench = useBench(openPlace);

    for (const moment of ['before', 'after'] as const) {
      it(`a new apply that dies ${moment} any of its writes is completed by the same call`, async () => {
        const { namespace, cluster, inventory } = bench();
        let k = 1;
        for (; k <= maxWrites; k++) {
          const name = `new-${moment}-${k}`;
          const wanted = request(namespace, name, {}, { secrets: { db: { a: 'b' } } });
          const dies = (victim: Cluster, call: CallOptions) => victim.apply({ ...wanted, call });
          if (!(await crashAt(bench(), k, moment, dies))) break;
          const result = await cluster.apply(wanted);
          expect(result.revision, `write ${k}`).toBe(1);
          expectExactly(await inventory(), name, { code: 1, revisions: [1], policies: [name] });
          expect((await cluster.apply(wanted)).status).toBe('unchanged');
        }
        expect(k).toBe(7);
      });

      it(`an update that dies ${moment} any of its writes or prunes is completed by the same call`, async () => {
        const { namespace, cluster, inventory } = bench();
        let k = 1;
        for (; k <= maxWrites; k++) {
          const name = `up-${moment}-${k}`;
          await cluster.apply(request(namespace, name, { extraPolicy: true }, { secrets: { db: { a: 'b' } } }));
          const wanted = request(
            namespace,
            name,
            { code: '// second', egressPort: 80 },
            { secrets: { db: { a: 'c' }, more: { x: 'y' } } },
          );
          const dies = (victim: Cluster, call: CallOptions) => victim.apply({ ...wanted, call });
          if (!(await crashAt(bench(), k, moment, dies))) break;
          const result = await cluster.apply(wanted);
          expect(result.revision, `write ${k}`).toBe(2);
          const there = await inventory();
          expectExactly(there, name, { code: 2, revisions: [1, 2], policies: [name] });
          const annotations = there.get(`Deployment/${name}`)?.metadata.annotations;
          expect(annotations?.[annotationKeys.revision]).toBe('2');
          expect(Object.keys(there.get(`Secret/${name}-secrets`)?.data ?? {}).sort()).toEqual(['db', 'more']);
          expect((await cluster.apply(wanted)).status).toBe('unchanged');
        }
        // Revision, code, policy, Secret, Deployment, prune; the Service does not change. Where a controller moves the
        // Deployment between reading and writing, it is written once more.
        expect(k).toBeGreaterThanOrEqual(7);
        expect(k).toBeLessThanOrEqual(8);
      });

      it(`a remove that dies ${moment} any of its deletions is completed by the same call`, async () => {
        const { namespace, cluster, inventory } = bench();
        let k = 1;
        for (; k <= maxWrites; k++) {
          const name = `rm-${moment}-${k}`;
          await cluster.apply(request(namespace, name, {}, { secrets: { db: { a: 'b' } } }));
          const gone = { enclave: namespace, name };
          const died = await crashAt(bench(), k, moment, (v, call) => v.remove({ ...gone, call }));
          await cluster.remove(gone);
          expect(ofTentacle(await inventory(), name), `write ${k}`).toEqual([]);
          if (!died) break;
        }
        expect(k).toBe(7);
      });

      it(`a provisioning that dies ${moment} any of its writes is completed by the same call`, async () => {
        const { namespace, cluster, other } = bench();
        let k = 1;
        for (; k <= maxWrites; k++) {
          const name = `${namespace}-p${moment[0]}${k}`;
          const rendered = enclave({ name, ownerSub: 'owner' });
          const died = await crashAt(bench(), k, moment, (v, call) => v.provision(rendered, {}, call));
          await cluster.provision(rendered, {});
          for (const { apiVersion, kind, metadata } of rendered.manifests) {
            const ref = { apiVersion, kind, name: metadata.name, ...(kind === 'Namespace' ? {} : { namespace: name }) };
            expect(await other.get(ref), `${kind} after write ${k}`).toBeDefined();
          }
          await other.delete({ apiVersion: 'v1', kind: 'Namespace', name });
          if (!died) break;
        }
        expect(k).toBe(5);
      });
    }

    it('a definite refusal gives the lock back, so that the corrected call need not wait', async () => {
      const { namespace, cluster, inventory } = bench();
      await cluster.apply(request(namespace, 'freed'));
      const broken: ApplyRequest = request(namespace, 'freed', { podExtra: { nodeNam: 'typo' } });
      await expect(cluster.apply(broken)).rejects.toMatchObject({ code: 'invalid_input' });
      expect((await inventory()).has('ConfigMap/freed-rev-2')).toBe(false);
      expect((await cluster.apply(request(namespace, 'freed', { egressPort: 1 }))).revision).toBe(2);
    });
  });
}

function ofTentacle(there: ReadonlyMap<string, Manifest>, name: string): string[] {
  return [...there.values()]
    .filter((object) => object.metadata.labels?.['tentacular.io/tentacle'] === name)
    .map((object) => `${object.kind}/${object.metadata.name}`)
    .sort();
}

/** Nothing leaks, nothing is doubled: exactly these objects carry the tentacle's labels. */
function expectExactly(
  there: ReadonlyMap<string, Manifest>,
  name: string,
  wanted: { readonly code: number; readonly revisions: readonly number[]; readonly policies: readonly string[] },
): void {
  const found = ofTentacle(there, name);
  const isCode = (key: string) => key.startsWith(`ConfigMap/${name}-code-`);
  expect(found.filter(isCode)).toHaveLength(wanted.code);
  expect(found.filter((key) => !isCode(key))).toEqual(
    [
      ...wanted.revisions.map((n) => `ConfigMap/${name}-rev-${n}`),
      ...wanted.policies.map((policy) => `NetworkPolicy/${policy}`),
      `Deployment/${name}`,
      `Secret/${name}-secrets`,
      `Service/${name}`,
    ].sort(),
  );
}
