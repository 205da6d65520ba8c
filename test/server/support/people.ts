import { afterAll, beforeAll } from 'vitest';
import type { OidcPrincipal } from '../../../constructs/model/principal.ts';
import { type FakeApiServer, startFakeApiServer } from '../../support/fake-api-server.ts';
import { connect, type McpConnection } from '../../support/mcp.ts';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { type Harness, type HarnessOptions, startHarness, token } from './harness.ts';

/** A caller with a verified address, unless told otherwise. */
export function person(name: string, more: Partial<OidcPrincipal> = {}): OidcPrincipal {
  const email = `${name}@example.com`;
  return {
    kind: 'oidc',
    name: email,
    sub: `sub-of-${name}`,
    email,
    emailUnverified: false,
    displayName: `${name} the tester`,
    client: 'tentacular-mcp',
    service: false,
    provider: 'keycloak',
    ...more,
  };
}

/** A program with a client-credentials token. */
function robot(client: string): OidcPrincipal {
  const { email: _email, displayName: _name, ...rest } = person(client);
  return { ...rest, name: `client:${client}`, client, service: true };
}

const { email: _email, ...nobodyVerified } = person('ursula');

/** Everybody who calls in these tests. */
export const people = {
  olga: person('olga'),
  mia: person('mia'),
  max: person('max'),
  eve: person('eve'),
  ci: robot('ci'),
  /** The same person, before and after her address was verified. */
  ursulaVerified: person('ursula'),
  ursula: { ...nobodyVerified, name: nobodyVerified.sub, emailUnverified: true },
} as const satisfies Record<string, OidcPrincipal>;
export type Person = keyof typeof people;

export interface Stage {
  readonly harness: Harness;
  readonly fake: FakeApiServer;
  /** The network between the server and the API server: what it sent, and under which User-Agent. */
  readonly proxy: FaultProxy;
  /** A connection as somebody, or as a caller with the bearer token. */
  as(who: Person | 'bearer'): McpConnection;
}

/** The server before a fake API server, with a connection for each caller. */
export function useStage(options: Pick<HarnessOptions, 'policy' | 'startCache' | 'engineRoute'> = {}): () => Stage {
  let stage: Stage | undefined;
  const closers: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    const fake = await startFakeApiServer();
    const proxy = await startFaultProxy({ kind: 'direct', server: fake.url });
    const tokenOf = (who: string) => `token-of-${who}`.padEnd(40, '.');
    const principals = Object.fromEntries(Object.entries(people).map(([who, principal]) => [tokenOf(who), principal]));
    const harness = await startHarness({ connection: proxy.connection, principals, ...options });
    const connections = new Map<string, McpConnection>();
    for (const who of Object.keys(people)) {
      connections.set(who, await connect('2026-07-28', harness.endpoint, tokenOf(who)));
    }
    connections.set('bearer', await connect('2026-07-28', harness.endpoint, token));
    for (const connection of connections.values()) closers.push(() => connection.close());
    closers.push(
      () => harness.close(),
      () => proxy.close(),
      () => fake.close(),
    );
    stage = {
      harness,
      fake,
      proxy,
      as(who) {
        const connection = connections.get(who);
        if (!connection) throw new Error(`nobody is called ${who}`);
        return connection;
      },
    };
  });
  afterAll(async () => {
    for (const close of closers) await close();
  });
  return () => {
    if (!stage) throw new Error('the stage is not built yet');
    return stage;
  };
}
