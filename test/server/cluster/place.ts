import { afterAll, beforeAll } from 'vitest';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import type { RequestRecord } from '../../../server/cluster/call.ts';
import { Client } from '../../../server/cluster/client.ts';
import type { DirectConnection } from '../../../server/cluster/connection-kinds.ts';
import { type ApplyRequest, type Cluster, createCluster } from '../../../server/cluster/index.ts';
import { Transport } from '../../../server/cluster/transport.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { enclave, options, type TentacleFixture, tentacle } from './fixture.ts';

/** An API server to test against: the fake one, or a real one. */
export interface Place {
  readonly connection: DirectConnection;
  close(): Promise<void>;
}

/** What a case works with: a namespace of its own, a cluster behind a network that can fail, a witness beside it. */
export interface Bench {
  readonly namespace: string;
  readonly cluster: Cluster;
  readonly proxy: FaultProxy;
  /** Requests of `cluster` since the last `forget`. */
  readonly records: RequestRecord[];
  /** Straight to the API server, under another field manager: what somebody else does. */
  readonly other: Client;
  forget(): void;
  /** A second cluster on the same API server: another replica. */
  replica(settings?: { readonly now?: () => number; readonly behindProxy?: boolean }): Promise<Cluster>;
  /** Everything in the namespace that is ours to write, by `Kind/name`. */
  inventory(): Promise<Map<string, Manifest>>;
}

let counter = 0;

/** Builds a bench before all cases of a suite, and takes it down with its namespace. */
export function useBench(
  openPlace: () => Promise<Place>,
  settings: { readonly provision?: boolean } = {},
): () => Bench {
  let bench: Bench | undefined;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const place = await openPlace();
    const proxy = await startFaultProxy(place.connection);
    const records: RequestRecord[] = [];
    const cluster = await createCluster({ connection: proxy.connection, onRequest: (record) => records.push(record) });
    const other = await openClient(place.connection, 'somebody-else');
    const namespace = `cc-${process.pid}-${Date.now().toString(36)}-${counter++}`;
    if (settings.provision !== false) await cluster.provision(enclave({ name: namespace, ownerSub: 'owner' }), {});
    closers.push(
      async () => {
        proxy.rule(() => 'pass');
        const found = await other.client.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
        if (found) await other.client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
      },
      () => cluster.close(),
      () => other.close(),
      () => proxy.close(),
      () => place.close(),
    );
    bench = {
      namespace,
      cluster,
      proxy,
      records,
      other: other.client,
      forget: () => {
        records.length = 0;
      },
      replica: async ({ now, behindProxy = true } = {}) => {
        const connection = behindProxy ? proxy.connection : place.connection;
        const made = await createCluster({ connection, ...(now ? { now } : {}) });
        closers.unshift(() => made.close());
        return made;
      },
      inventory: () => inventoryOf(other.client, namespace),
    };
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  return () => {
    if (!bench) throw new Error('the bench is not built yet');
    return bench;
  };
}

async function openClient(connection: DirectConnection, manager: string) {
  const transport = await Transport.open({
    connection,
    userAgent: manager,
    onRequest: () => undefined,
    now: Date.now,
    random: Math.random,
  });
  return { client: new Client(transport, manager), close: () => transport.close() };
}

const kinds = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['apps/v1', 'Deployment'],
] as const;

async function inventoryOf(client: Client, namespace: string): Promise<Map<string, Manifest>> {
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => client.list({ apiVersion, kind, namespace })));
  return new Map(
    lists
      .flat()
      // What the controllers of a real cluster put into every namespace.
      .filter((object) => object.metadata.name !== 'kube-root-ca.crt' && object.metadata.name !== 'default-deny')
      .map((object) => [`${object.kind}/${object.metadata.name}`, object]),
  );
}

/** An apply of a fixture, as somebody known. */
export function request(
  namespace: string,
  name: string,
  fixture: TentacleFixture = {},
  more: Partial<ApplyRequest> = {},
): ApplyRequest {
  return {
    rendered: tentacle(namespace, name, fixture),
    options,
    rendererVersion: 'test/1',
    stamps: { owner: { sub: 'owner', email: 'o@example.com' }, mode: 'rwxr-x---', deployedBy: 'o@example.com' },
    ...more,
  };
}

/** Outcomes by kind, in order: `Service created`. */
export function told(outcomes: readonly { readonly kind: string; readonly outcome: string }[]): string[] {
  return outcomes.map(({ kind, outcome }) => `${kind} ${outcome}`);
}

/** The requests that changed something. */
export function writes(records: readonly RequestRecord[]): RequestRecord[] {
  return records.filter((r) => ['create', 'apply', 'delete'].includes(r.verb) && !r.dryRun);
}
