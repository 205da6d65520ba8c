import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { Client } from '../../../server/cluster/client.ts';
import { Transport } from '../../../server/cluster/transport.ts';
import { type Bench, type Place, useBench } from './place.ts';
import { refusal } from './suite-apply.ts';

function configMap(namespace: string, name: string, data: Record<string, string> = {}): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
}

const busy = { status: 429, headers: { 'retry-after': '0' }, body: '{"kind":"Status","message":"slow down"}' };
const broken = { status: 500, body: '{"kind":"Status","message":"etcd is away"}' };

/** The verbs of our own client: what client-node fails at, and what any client must get right. */
export function clientSuite(title: string, openPlace: () => Promise<Place>): void {
  describe(`client on ${title}`, () => {
    const bench = useBench(openPlace);

    /** A client of our own behind the proxy, closed at the end of the case. */
    async function withClient<T>(work: (client: Client, b: Bench) => Promise<T>, now = Date.now): Promise<T> {
      const b = bench();
      const transport = await Transport.open({
        connection: b.proxy.connection,
        userAgent: 'the-test',
        onRequest: (record) => b.records.push(record),
        now,
        random: () => 0,
      });
      try {
        return await work(new Client(transport, 'tentacular'), b);
      } finally {
        b.proxy.rule(() => 'pass');
        await transport.close();
      }
    }

    const namespaceRef = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', name });

    it('requests one after the other share connections, many at once use a bounded number', async () => {
      await withClient(async (client, { namespace, proxy }) => {
        const before = proxy.connections;
        for (let i = 0; i < 25; i++) await client.get(namespaceRef(namespace));
        // A second one opens where an answer ends a moment after its promise; never one a request.
        expect(proxy.connections - before).toBeLessThanOrEqual(2);
        await Promise.all(Array.from({ length: 200 }, () => client.get(namespaceRef(namespace))));
        expect(proxy.connections - before).toBeLessThanOrEqual(48);
      });
    });

    it('429 is repeated after Retry-After, for writes too: nothing was done yet', async () => {
      await withClient(async (client, { namespace, proxy }) => {
        let refused = 0;
        proxy.rule(() => (refused++ % 3 < 2 ? busy : 'pass'));
        expect((await client.create(configMap(namespace, 'after-429'))).metadata.uid).toBeTruthy();
        expect(refused).toBe(3);
        expect(await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'after-429' })).toBeDefined();
        expect(refused).toBe(6);
      });
    });

    it('a read outlives errors of the server, up to a cap; a write is never repeated after one', async () => {
      await withClient(async (client, { namespace, proxy }) => {
        let asked = 0;
        proxy.rule(() => (asked++ < 2 ? broken : 'pass'));
        expect(await client.get(namespaceRef(namespace))).toBeDefined();
        asked = -1000;
        proxy.rule(() => {
          asked++;
          return broken;
        });
        expect(await refusal(client.get(namespaceRef(namespace)))).toMatchObject({
          code: 'cluster_error',
          retryable: true,
        });
        expect(asked).toBe(-994);
        asked = 0;
        const error = await refusal(client.create(configMap(namespace, 'once')));
        expect(error).toMatchObject({ code: 'cluster_error', failure: { unknownOutcome: true } });
        expect(asked).toBe(1);
      });
    });

    it('every request has a deadline, and an abort ends it at once', async () => {
      await withClient(async (client, { namespace, proxy }) => {
        proxy.rule(() => 'stall');
        const started = Date.now();
        expect((await refusal(client.get(namespaceRef(namespace), { timeoutMs: 200 }))).code).toBe('timeout');
        const written = client.create(configMap(namespace, 'late'), { timeoutMs: 200 });
        expect(await refusal(written)).toMatchObject({ code: 'timeout', failure: { unknownOutcome: true } });
        const aborted = client.get(namespaceRef(namespace), { signal: AbortSignal.timeout(50) });
        expect((await refusal(aborted)).message).toContain('cancelled');
        // What has no deadline of its own has one of 15 s.
        expect(Date.now() - started).toBeLessThan(10_000);
      });
    });

    it('lists are read page by page, and begin again where a page has expired', async () => {
      await withClient(async (client, { namespace, proxy }) => {
        for (const name of ['page-a', 'page-b', 'page-c']) await client.create(configMap(namespace, name));
        const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace, pageSize: 1 };
        const isNextPage = (path: string) => path.includes('continue=');
        let pages = 0;
        let expired = 0;
        proxy.rule(({ path }) => {
          pages++;
          if (!isNextPage(path) || expired > 0) return 'pass';
          expired++;
          return { status: 410, body: '{"kind":"Status","reason":"Expired","message":"too old","code":410}' };
        });
        const names = (await client.list(query)).map((object) => object.metadata.name);
        expect(names.filter((name) => name.startsWith('page-'))).toEqual(['page-a', 'page-b', 'page-c']);
        expect(new Set(names).size).toBe(names.length);
        expect(pages).toBe(names.length + 2);
        proxy.rule(({ path }) => (isNextPage(path) ? { status: 410, body: '{"kind":"Status","code":410}' } : 'pass'));
        expect((await refusal(client.list(query))).message).toContain('list configmaps');
        expect((await refusal(client.list({ ...query, maxItems: 1 }))).code).toBe('cluster_error');
      });
    });

    it('metadata alone can be listed: no data crosses the wire, kind and names do', async () => {
      await withClient(async (client, { namespace }) => {
        await client.create(configMap(namespace, 'heavy', { k: 'canary-data' }));
        const listed = await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace, metadataOnly: true });
        const found = listed.find((object) => object.metadata.name === 'heavy');
        expect(found).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace } });
        expect(JSON.stringify(listed)).not.toContain('canary-data');
      });
    });

    it('a typo is refused in a POST and in an apply, and told as invalid_input with the field', async () => {
      await withClient(async (client, { namespace }) => {
        const typo = { ...configMap(namespace, 'typo'), dta: { a: 'b' } };
        const inPost = await refusal(client.create(typo));
        expect(inPost).toMatchObject({ code: 'invalid_input' });
        expect(inPost.message).toContain('dta');
        const inApply = await refusal(client.apply(typo));
        expect(inApply).toMatchObject({ code: 'invalid_input', failure: { unknownOutcome: false } });
        expect(inApply.message).toContain('dta');
      });
    });

    it('resourceVersion "1" creates, and is refused where anything of that name exists', async () => {
      await withClient(async (client, { namespace }) => {
        const wanted = configMap(namespace, 'only-new', { a: 'b' });
        const first = { ...wanted, metadata: { ...wanted.metadata, resourceVersion: '1' } };
        expect((await client.apply(first)).metadata.uid).toBeTruthy();
        expect(await refusal(client.apply(first))).toMatchObject({ code: 'conflict', failure: { status: 409 } });
      });
    });

    it('a deletion hits exactly the object that was read', async () => {
      await withClient(async (client, { namespace }) => {
        const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'marked' };
        const first = await client.create(configMap(namespace, 'marked'));
        expect(await client.delete(ref, { uid: first.metadata.uid ?? '' })).toBe(true);
        const second = await client.create(configMap(namespace, 'marked'));
        expect((await refusal(client.delete(ref, { uid: first.metadata.uid ?? '' }))).code).toBe('conflict');
        expect((await client.get(ref))?.metadata.uid).toBe(second.metadata.uid);
        expect(await client.delete(ref, { uid: second.metadata.uid ?? '' })).toBe(true);
        expect(await client.delete(ref)).toBe(false);
      });
    });

    it('each request is counted with verb and resource, and carries the agent of the call', async () => {
      await withClient(async (client, { namespace, proxy, records, forget }) => {
        forget();
        await client.get(namespaceRef(namespace), { userAgent: 'caller/9' });
        await client.list({ apiVersion: 'apps/v1', kind: 'Deployment', namespace });
        expect(records.map(({ verb, resource, status }) => `${verb} ${resource} ${status}`)).toEqual([
          'get namespaces 200',
          'list deployments.apps 200',
        ]);
        expect(proxy.seen.slice(-2).map((seen) => seen.userAgent)).toEqual(['caller/9', 'the-test']);
      });
    });

    it('a network that is down is unavailable and retryable, within the deadline', async () => {
      let clock = 0;
      await withClient(
        async (client, { namespace, proxy }) => {
          let asked = 0;
          proxy.rule(() => {
            asked++;
            clock += 10_000;
            return 'drop';
          });
          const error = await refusal(client.get(namespaceRef(namespace), { timeoutMs: 30_000 }));
          expect(error).toMatchObject({ code: 'unavailable', retryable: true });
          expect(asked).toBe(3);
        },
        () => clock,
      );
    });
  });
}
