import { describe, expect, it } from 'vitest';
import { createCache } from '../../../server/cluster/cache.ts';
import { Client } from '../../../server/cluster/client.ts';
import { createCluster } from '../../../server/cluster/index.ts';
import { Transport } from '../../../server/cluster/transport.ts';
import { watch } from '../../../server/cluster/watch.ts';
import { eventually } from '../../support/eventually.ts';
import { type Bench, type Place, request, useBench } from './place.ts';

const quick = { baseMs: 5, capMs: 50 };

/** Watches never stop for good, and never miss what happened while they were away. */
export function watchSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`watch on ${title}`, () => {
    const bench = useBench(openPlace);

    /** Follows the ConfigMaps of the namespace; `names` is what a follower believes to exist. */
    async function following(
      work: (
        seen: { readonly names: Set<string>; readonly resets: () => number; readonly failures: () => number },
        b: Bench,
      ) => Promise<void>,
      settings: { readonly silenceMs?: number } = {},
    ): Promise<void> {
      const b = bench();
      const transport = await Transport.open({
        connection: b.proxy.connection,
        userAgent: 'watcher',
        onRequest: () => undefined,
        now: Date.now,
        random: Math.random,
      });
      const controller = new AbortController();
      const names = new Set<string>();
      let resets = 0;
      let failures = 0;
      const done = watch(
        new Client(transport, 'tentacular'),
        { apiVersion: 'v1', kind: 'ConfigMap', namespace: b.namespace },
        {
          reset: (items) => {
            resets++;
            names.clear();
            for (const item of items) names.add(item.metadata.name);
          },
          changed: (object) => void names.add(object.metadata.name),
          deleted: (object) => void names.delete(object.metadata.name),
          failed: () => void failures++,
        },
        { signal: controller.signal, random: Math.random, backoff: quick, ...settings },
      );
      try {
        await eventually('the first list', async () => resets > 0);
        await work({ names, resets: () => resets, failures: () => failures }, b);
      } finally {
        b.proxy.rule(() => 'pass');
        controller.abort();
        await done;
        await transport.close();
      }
    }

    const make = ({ other, namespace }: Bench, name: string) =>
      other.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data: {} });
    const drop = ({ other, namespace }: Bench, name: string) =>
      other.delete({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name });

    it('what is made and deleted is told', async () => {
      await following(async ({ names }, b) => {
        await make(b, 'told');
        await eventually('told appears', async () => names.has('told'));
        await drop(b, 'told');
        await eventually('told goes', async () => !names.has('told'));
      });
    });

    it('a connection that breaks is taken up where it broke, without a new list', async () => {
      await following(async ({ names, resets }, b) => {
        for (let round = 0; round < 5; round++) {
          b.proxy.breakConnections();
          await make(b, `broken-${round}`);
          await eventually('it appears', async () => names.has(`broken-${round}`), { intervalMs: 20 });
        }
        expect(resets()).toBe(1);
      });
    });

    it('a server that fails for a while is asked again until it answers, and nothing is missed', async () => {
      await following(async ({ names, failures }, b) => {
        let asked = 0;
        b.proxy.rule(({ path }) => {
          if (!path.includes('watch=true')) return 'pass';
          return asked++ < 8 ? { status: 500, body: '{}' } : 'pass';
        });
        b.proxy.breakConnections();
        await make(b, 'through-failure');
        await eventually('it appears', async () => names.has('through-failure'));
        expect(failures()).toBeGreaterThanOrEqual(8);
      });
    });

    it('410 leads to a new list: what was deleted meanwhile is gone from view', async () => {
      await following(async ({ names, resets }, b) => {
        await make(b, 'old');
        await eventually('old appears', async () => names.has('old'));
        let expired = 0;
        b.proxy.rule(({ path }) => {
          if (!path.includes('watch=true')) return 'pass';
          return expired++ === 0 ? { status: 410, body: '{"kind":"Status","reason":"Expired","code":410}' } : 'pass';
        });
        b.proxy.breakConnections();
        await drop(b, 'old');
        await eventually('a new list', async () => resets() === 2);
        await eventually('old is gone', async () => !names.has('old'));
      });
    });

    it('a line that says nothing for too long is given up and opened again', async () => {
      await following(
        async ({ names }, b) => {
          let stalled = 0;
          b.proxy.rule(({ path }) => (path.includes('watch=true') && stalled++ < 2 ? 'stall' : 'pass'));
          b.proxy.breakConnections();
          await make(b, 'after-silence');
          await eventually('it appears', async () => names.has('after-silence'));
          expect(stalled).toBeGreaterThan(2);
        },
        { silenceMs: 200 },
      );
    });

    it('the cache holds enclaves and tentacles, says when it is ready, and lets go of what is gone', async () => {
      const { cluster, namespace, proxy } = bench();
      const watching = await createCluster({ connection: proxy.connection });
      expect(watching.cache.ready).toBe(false);
      expect(watching.cache.staleMs).toBe(Number.POSITIVE_INFINITY);
      await watching.cache.start();
      expect(watching.cache.ready).toBe(true);
      expect(watching.cache.staleMs).toBeLessThan(10_000);
      expect(watching.cache.enclave(namespace)?.metadata.labels).toBeDefined();
      expect(watching.cache.enclave('default')).toBeUndefined();
      await cluster.apply(request(namespace, 'cached'));
      const found = await eventually('cached', async () => watching.cache.deployment(namespace, 'cached'));
      expect(JSON.stringify(found)).not.toContain('managedFields');
      expect(found?.metadata.annotations?.['tentacular.io/owner-sub']).toBe('owner');
      expect(watching.cache.deployments(namespace).map((d) => d.metadata.name)).toEqual(['cached']);
      proxy.breakConnections();
      await cluster.remove({ enclave: namespace, name: 'cached' });
      await eventually('gone', async () => watching.cache.deployment(namespace, 'cached') === undefined);
      await watching.close();
    });

    it('a cache whose API server does not answer starts anyway, not ready', async () => {
      const { proxy } = bench();
      proxy.rule(() => 'drop');
      const transport = await Transport.open({
        connection: proxy.connection,
        userAgent: 'x',
        onRequest: () => undefined,
        now: Date.now,
        random: Math.random,
      });
      const cache = createCache(new Client(transport, 'x'), { now: Date.now, random: Math.random });
      await cache.start({ timeoutMs: 100 });
      expect(cache.ready).toBe(false);
      proxy.rule(() => 'pass');
      await eventually('ready at last', async () => cache.ready);
      cache.stop();
      await transport.close();
    });
  });
}
