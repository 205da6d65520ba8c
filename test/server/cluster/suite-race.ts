import { describe, expect, it } from 'vitest';
import { type Place, request, told, useBench, writes } from './place.ts';
import { refusal } from './suite-apply.ts';

/** Two callers at once, locks, resuming, objects that move under an apply. */
export function raceSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`races on ${title}`, () => {
    const bench = useBench(openPlace);

    it('of two callers with different sources one wins and the other is told', async () => {
      const { namespace, cluster } = bench();
      const replica = await bench().replica();
      await cluster.apply(request(namespace, 'duel'));
      for (let round = 2; round <= 6; round++) {
        const left = request(namespace, 'duel', { code: `// left ${round}` }, { expectedRevision: round - 1 });
        const right = request(namespace, 'duel', { code: `// right ${round}` }, { expectedRevision: round - 1 });
        const results = await Promise.allSettled([cluster.apply(left), replica.apply(right)]);
        const won = results.filter((r) => r.status === 'fulfilled');
        const lost = results.flatMap((r) => (r.status === 'rejected' ? [r.reason] : []));
        expect(won, `round ${round}`).toHaveLength(1);
        expect(lost).toMatchObject([{ code: 'conflict' }]);
        const [live] = await cluster.history(namespace, 'duel');
        expect(live).toMatchObject({ revision: round, live: true, finished: true });
        expect(await cluster.drift({ enclave: namespace, name: 'duel' })).toMatchObject({ drifted: false });
      }
    });

    it('two callers with the same source both end well, with one revision', async () => {
      const { namespace, cluster, inventory } = bench();
      const replica = await bench().replica();
      const same = request(namespace, 'twins');
      const results = await Promise.all([cluster.apply(same), replica.apply(same)]);
      expect(results.map((result) => result.revision)).toEqual([1, 1]);
      const revisions = [...(await inventory()).keys()].filter((key) => key.startsWith('ConfigMap/twins-rev-'));
      expect(revisions).toEqual(['ConfigMap/twins-rev-1']);
      expect((await cluster.apply(same)).status).toBe('unchanged');
    });

    // Harm prevented: the apply says "updated", and a moment later what it has written to is gone.
    it('what is on its way out is not applied to, and the apply goes through once it is gone', async () => {
      const { namespace, cluster, other, records, forget } = bench();
      const set = request(namespace, 'leaving');
      await cluster.apply(set);
      const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'leaving' };
      const hold = (finalizers: string[]) =>
        other.apply({
          apiVersion: ref.apiVersion,
          kind: ref.kind,
          metadata: { name: ref.name, namespace, finalizers },
        });
      await hold(['example.com/held']);
      await other.delete(ref);
      forget();
      for (const next of [set, request(namespace, 'leaving', { version: '1.0.1' })]) {
        for (const onConflict of ['fail', 'take', 'keep'] as const) {
          const error = await refusal(cluster.apply({ ...next, onConflict }));
          expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('is being deleted') });
        }
      }
      expect(writes(records)).toEqual([]);
      await hold([]);
      expect(told((await cluster.apply(set)).applied)).toContain('Deployment created');
    });

    it('an apply that was cut off holds the lock against another source for a minute, and no longer', async () => {
      const { namespace, cluster, proxy, inventory } = bench();
      await cluster.apply(request(namespace, 'held'));
      await cutOffAfterLock(namespace);
      const mine = request(namespace, 'held', { code: '// mine' });
      const error = await refusal(cluster.apply(mine));
      expect(error).toMatchObject({ code: 'conflict', retryable: true, details: { revision: 2 } });
      const later = await bench().replica({ now: () => Date.now() + 61_000 });
      expect((await later.apply(mine)).revision).toBe(3);
      expect((await inventory()).has('ConfigMap/held-rev-2')).toBe(true);
      expect((await cluster.history(namespace, 'held')).map((r) => [r.revision, r.live])).toEqual([
        [3, true],
        [2, false],
        [1, false],
      ]);

      async function cutOffAfterLock(enclave: string): Promise<void> {
        const end = new AbortController();
        const theirs = request(enclave, 'held', { code: '// theirs' }, { call: { signal: end.signal } });
        let created = false;
        proxy.rule(({ method }) => {
          if (created) {
            end.abort();
            return 'drop';
          }
          created = method === 'POST';
          return 'pass';
        });
        await expect(cluster.apply(theirs)).rejects.toBeDefined();
        proxy.rule(() => 'pass');
      }
    });

    it('an object that moves between reading and writing is read again, and then written', async () => {
      const { namespace, cluster, proxy } = bench();
      await cluster.apply(request(namespace, 'moving'));
      let moved = 0;
      proxy.rule(({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/services/moving') || moved > 0) return 'pass';
        moved++;
        return { status: 409, body: staleStatus };
      });
      const result = await cluster.apply(request(namespace, 'moving', { version: '1.0.1' }));
      proxy.rule(() => 'pass');
      expect(moved).toBe(1);
      expect(told(result.applied)).toContain('Service configured');
    });

    it('an object that never holds still is given up as a conflict after ten readings', async () => {
      const { namespace, cluster, proxy } = bench();
      await cluster.apply(request(namespace, 'restless'));
      let tries = 0;
      proxy.rule(({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/services/restless')) return 'pass';
        tries++;
        return { status: 409, body: staleStatus };
      });
      const error = await refusal(cluster.apply(request(namespace, 'restless', { version: '1.0.1' })));
      proxy.rule(() => 'pass');
      expect(error.code).toBe('conflict');
      expect(tries).toBe(10);
    });

    it('a Deployment whose status moves for half a second is written all the same', async () => {
      const { namespace, cluster, proxy } = bench();
      await cluster.apply(request(namespace, 'busy'));
      let refused = 0;
      let calmAt: number | undefined;
      proxy.rule(({ method, path }) => {
        if (method !== 'PATCH' || !path.includes('/deployments/busy')) return 'pass';
        calmAt ??= Date.now() + 500;
        if (Date.now() > calmAt) return 'pass';
        refused++;
        return { status: 409, body: staleStatus };
      });
      const result = await cluster.apply(request(namespace, 'busy', { version: '1.0.1' }));
      proxy.rule(() => 'pass');
      expect(refused).toBeGreaterThan(0);
      expect(told(result.applied)).toContain('Deployment configured');
    });

    it('a write whose answer got lost is looked up, not repeated blindly', async () => {
      const { namespace, cluster, proxy, records, forget } = bench();
      const lost = new Set<string>();
      proxy.rule(({ isWrite, path }) => {
        const target = path.split('?')[0] ?? '';
        if (!isWrite || lost.has(target)) return 'pass';
        lost.add(target);
        return 'lose';
      });
      forget();
      const result = await cluster.apply(request(namespace, 'deaf'));
      proxy.rule(() => 'pass');
      expect(result).toMatchObject({ status: 'created', revision: 1 });
      expect(told(result.applied)).toEqual([
        'ConfigMap created',
        'Service created',
        'NetworkPolicy created',
        'Deployment created',
      ]);
      // Each of the five was carried out once; only the revision is asked for again, and refused as existing.
      expect(writes(records).filter((r) => r.status >= 200 && r.status < 300)).toEqual([]);
      expect(writes(records).length).toBeLessThanOrEqual(6);
    });

    it('a plan holds until source or cluster move', async () => {
      const { namespace, cluster, other } = bench();
      await cluster.apply(request(namespace, 'planned'));
      const next = request(namespace, 'planned', { code: '// next' });
      const { plan } = await cluster.diff(next);
      expect((await cluster.diff(next)).plan).toBe(plan);
      const changedSource = request(namespace, 'planned', { code: '// other' }, { plan });
      expect(await refusal(cluster.apply(changedSource))).toMatchObject({ code: 'stale_plan' });
      const metadata = { name: 'planned', namespace, labels: { theirs: 'yes' } };
      await other.apply({ apiVersion: 'v1', kind: 'Service', metadata }, {});
      expect(await refusal(cluster.apply({ ...next, plan }))).toMatchObject({ code: 'stale_plan' });
      const renewed = await cluster.diff(next);
      expect((await cluster.apply({ ...next, plan: renewed.plan })).revision).toBe(2);
    });
  });
}

const staleStatus = JSON.stringify({
  kind: 'Status',
  status: 'Failure',
  message: 'the object has been modified; please apply your changes to the latest version and try again',
  reason: 'Conflict',
  code: 409,
});
