import { decodeJwt } from 'jose';
import * as oauth from 'openid-client';
import { inject } from 'vitest';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { AuditRecord } from '../../server/telemetry/audit.ts';
import { uniqueName } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import { openHostPort, selfSigned } from '../support/host-port.ts';
import { keycloakAdmin } from '../support/keycloak/admin.ts';
import { createPerson } from '../support/keycloak/browser.ts';
import { endKeycloak, type Keycloak, startKeycloak } from '../support/keycloak/keycloak.ts';
import { createKube, type Kube } from '../support/kube.ts';
import { connect, type Era, type McpConnection } from '../support/mcp.ts';
import { everyReplica } from '../support/ping.ts';
import { logInByCode, logInByDevice, realmAs } from '../support/realm-login.ts';
import { installSecondControlPlane, type SecondControlPlane } from '../support/second-control-plane.ts';

/** Everybody with an identity: the owner, a member, a listed member whose address is not verified, a stranger, a service. */
export const callers = ['ada', 'bob', 'carl', 'eve', 'ci'] as const;
export type Caller = (typeof callers)[number];

export interface Identity {
  readonly sub: string;
  /** As it may be listed among members: an address, or `client:<id>`. */
  readonly member: string;
  readonly token: string;
}

/** A control plane in the cluster, installed from the chart, whose callers come with tokens of a real Keycloak. */
export interface PermissionsStage {
  readonly kube: Kube;
  /** Gets the issuer's keys from a URL of their own, by a private authority. */
  readonly plane: SecondControlPlane;
  /** `exoskeletonAuth` with nothing but the issuer, which then says itself where its keys are. */
  readonly plain: JsonObject;
  readonly keycloak: Keycloak;
  readonly who: Readonly<Record<Caller, Identity>>;
  as(caller: Caller | 'bearer', era?: Era): McpConnection;
  close(): Promise<void>;
}

/** Of every enclave of these tests, so that those of a run that was killed are found. */
const prefix = 'permissions';
export const enclaveName = () => uniqueName(prefix);

export async function openStage(nodeIp: string): Promise<PermissionsStage> {
  const kube = createKube(inject('kubectl'), inject('kubeconfig'));
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    // Each one also where another fails.
    const results = await Promise.allSettled(closers.map((closer) => closer()));
    const failed = results.filter((result) => result.status === 'rejected');
    if (failed.length > 0) throw new AggregateError(failed.map(({ reason }) => reason));
  };
  try {
    closers.push(() => removeEnclaves(kube));
    // Keycloak takes the issuer's name from how it is reached: everybody reaches it by the node's address.
    let started: Keycloak | undefined;
    const port = () => (started ? Number(new URL(started.url).port) : undefined);
    const door = await openHostPort(nodeIp, port);
    closers.push(door.close);
    const issuer = `http://${nodeIp}:${door.port}/realms/tentacular`;
    // The keys alone come another way, as where pods cannot reach the issuer's public address.
    const certificate = await selfSigned(nodeIp);
    const keyDoor = await openHostPort(nodeIp, port, certificate);
    closers.push(keyDoor.close);
    const plain: JsonObject = { enabled: true, issuer, clientId: 'tentacular-mcp' };
    const jwksURL = `https://${nodeIp}:${keyDoor.port}/realms/tentacular/protocol/openid-connect/certs`;
    const first = { ...plain, jwksURL, caBundle: certificate.cert };
    const reachable = { to: [{ ipBlock: { cidr: `${nodeIp}/32` } }], ports: [door.port, keyDoor.port] };
    const starting = startKeycloak().then((keycloak) => {
      started = keycloak;
      closers.push(() => endKeycloak(keycloak.home));
      return keycloak;
    });
    const installing = installSecondControlPlane((live) => oidcValues(live, first, reachable));
    const clearing = removeEnclaves(kube);
    // Nothing is left going where one of them fails.
    await Promise.allSettled([starting, installing.then((plane) => closers.push(plane.remove)), clearing]);
    const [keycloak, plane] = await Promise.all([starting, installing, clearing]);
    const who = await logEverybodyIn(keycloak, issuer, plane.endpoint);
    await haveKeys(plane, who.eve.token);
    const connections = new Map<string, McpConnection>();
    for (const [caller, token] of [...callers.map((one) => [one, who[one].token]), ['bearer', plane.token]] as const) {
      for (const era of ['2025-11-25', '2026-07-28'] as const) {
        const connection = await connect(era, plane.endpoint, token ?? '');
        connections.set(`${caller} ${era}`, connection);
        closers.push(connection.close);
      }
    }
    const as = (caller: Caller | 'bearer', era: Era = '2026-07-28') => {
      const connection = connections.get(`${caller} ${era}`);
      if (!connection) throw new Error(`nobody is called ${caller}`);
      return connection;
    };
    return { kube, plane, plain, keycloak, who, as, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function oidcValues(live: JsonObject, exoskeletonAuth: JsonObject, issuer: JsonObject): JsonObject {
  const policy = isJsonObject(live.networkPolicy) ? live.networkPolicy : {};
  const egress = isJsonObject(policy.egress) ? policy.egress : {};
  return { exoskeletonAuth, networkPolicy: { ...policy, egress: { ...egress, issuer } }, drainSeconds: 2 };
}

/** Waits until every replica judges tokens: one that started before the issuer asks for its keys again and again. */
export async function haveKeys({ endpoint }: SecondControlPlane, token: string): Promise<void> {
  await eventually('each replica has the keys', () => everyReplica(endpoint, token, 200));
}

/** One by device code, the others by code and PKCE, the service by its secret. New people with each run. */
async function logEverybodyIn(keycloak: Keycloak, issuer: string, resource: string): Promise<PermissionsStage['who']> {
  const admin = keycloakAdmin(keycloak);
  await admin.setResource(resource);
  const run = Date.now().toString(36);
  const person = async (name: string, options: { emailVerified?: boolean; device?: boolean } = {}) => {
    const credentials = { username: `${name}-${run}`, password: `pw-${name}-${run}` };
    const { username, password } = credentials;
    await admin.addUser({ name: username, password, emailVerified: options.emailVerified ?? true });
    const visit = createPerson(credentials);
    const tokens = await (options.device ? logInByDevice : logInByCode)(issuer, visit);
    return identity(`${username}@example.com`, tokens.access_token);
  };
  const client = `ci-${run}`;
  const [ada, bob, carl, eve, ci] = await Promise.all([
    person('ada', { device: true }),
    person('bob'),
    person('carl', { emailVerified: false }),
    person('eve'),
    admin
      .addService(client)
      .then((secret) => realmAs(issuer, client, secret))
      .then((service) => oauth.clientCredentialsGrant(service))
      .then((tokens) => identity(`client:${client}`, tokens.access_token)),
  ]);
  return { ada, bob, carl, eve, ci };
}

function identity(member: string, token: string): Identity {
  return { sub: String(decodeJwt(token).sub), member, token };
}

async function removeEnclaves(kube: Kube): Promise<void> {
  for (const { metadata } of await kube.list('namespaces', undefined, 'tentacular.io/enclave')) {
    if (metadata.name.startsWith(`e2e-${prefix}-`)) await kube.remove('namespace', metadata.name);
  }
}

/** Ours, without the prefix, as the API server has them. */
export async function annotations({ kube }: PermissionsStage, kind: string, name: string, namespace?: string) {
  const object = await kube.get(kind, name, namespace);
  const all = Object.entries(object?.metadata.annotations ?? {});
  return Object.fromEntries(all.map(([key, value]) => [key.replace('tentacular.io/', ''), value]));
}

/** The audit stream of all pods there are. */
export async function auditRecords(plane: SecondControlPlane): Promise<AuditRecord[]> {
  const lines = (await plane.logLines()).map((line) => JSON.parse(line) as object);
  return lines.filter((line): line is AuditRecord => 'call_id' in line && 'decision' in line);
}
