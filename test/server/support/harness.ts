import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Principal } from '../../../constructs/model/principal.ts';
import { type AppDependencies, createApp, createHttpServer } from '../../../server/app.ts';
import type { Authenticator } from '../../../server/auth/authenticator.ts';
import type { Discovery } from '../../../server/auth/discovery.ts';
import { createRateLimiter } from '../../../server/auth/rate-limit.ts';
import { createTokenFileAuthenticator } from '../../../server/auth/token-file.ts';
import type { AuthzPolicy } from '../../../server/authz/policy.ts';
import { type Cluster, type ClusterConfig, createCluster } from '../../../server/cluster/index.ts';
import { createLifecycle, type Lifecycle } from '../../../server/lifecycle.ts';
import { type CallDependencies, recordUnknownTool } from '../../../server/mcp/call.ts';
import { createMcpEndpoint } from '../../../server/mcp/handler.ts';
import { type ServedTool, serveTools } from '../../../server/mcp/served-tool.ts';
import { createReadiness } from '../../../server/readiness.ts';
import { type AuditRecord, createAuditSink } from '../../../server/telemetry/audit.ts';
import { createLogger } from '../../../server/telemetry/log.ts';
import { createMetrics, type Metrics } from '../../../server/telemetry/metrics.ts';
import { createCatalog } from '../../../server/tools/catalog.ts';
import { createRunRecorder, type RunRecorder } from '../../../server/tools/run-record.ts';
import { rendererOptions } from './renderer-options.ts';

export const token = 'unit-test-token-'.padEnd(64, 'z');

export interface HarnessOptions {
  /** Where the API server is. Default: an address where nobody answers. */
  readonly connection?: ClusterConfig['connection'];
  /** How engines are reached. Default: by port-forward, which only a real API server has. */
  readonly engineRoute?: ClusterConfig['engineRoute'];
  readonly origins?: AppDependencies['origins'];
  readonly callsPerSecond?: number;
  /** Time by which `callsPerSecond` counts, in milliseconds. Default: the monotonic clock. */
  readonly callClock?: () => number;
  readonly failedAuthentications?: number;
  readonly keepAliveMs?: number;
  /** Tools besides those of the product. */
  readonly moreTools?: readonly ServedTool[];
  /** Fills the caches before it serves. Default false. */
  readonly startCache?: boolean;
  /** Ways to prove who is calling besides the static token, and what tells of them; `url` is that of this server. */
  readonly authentication?: (url: string) => {
    readonly authenticator: Authenticator;
    readonly discovery?: Discovery;
    readonly toolScopes?: Readonly<Record<string, readonly string[]>>;
  };
  /** Default: evaluated, and everybody verified may make enclaves. */
  readonly policy?: AuthzPolicy;
  /** Callers with an identity, by the token that stands for each: the issuer is not what is tested here. */
  readonly principals?: Readonly<Record<string, Principal>>;
}

/** The whole server on a loopback port, wired as `main.ts` does it. */
export interface Harness {
  readonly url: string;
  readonly endpoint: string;
  readonly server: Server;
  readonly cluster: Cluster;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly runs: RunRecorder;
  readonly audit: AuditRecord[];
  /** Every log line, as text. */
  readonly logs: string[];
  /** Puts another content into the token file. */
  setTokens(content: string): Promise<void>;
  close(): Promise<void>;
}

export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-app-'));
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, token);
  const audit: AuditRecord[] = [];
  const auditSink = createAuditSink((line) => audit.push(JSON.parse(line) as AuditRecord));
  const logs: string[] = [];
  const log = createLogger('trace', { write: (line) => logs.push(line) });
  const metrics = createMetrics();
  const lifecycle = createLifecycle();
  const cluster = await createCluster({
    connection: options.connection ?? { kind: 'direct', server: 'http://127.0.0.1:1' },
    ...(options.engineRoute ? { engineRoute: options.engineRoute } : {}),
    onRequest: ({ verb, resource, status, durationMs }) =>
      metrics.apiRequest(verb, resource, status, durationMs / 1000),
  });
  const runs = createRunRecorder(cluster, (message) => logs.push(message));
  let id = 0;
  const catalog = createCatalog({
    cluster,
    rendererOptions,
    version: '0.0.0-test',
    runs,
    now: Date.now,
    newId: () => `run-${++id}`,
  });
  const calls: CallDependencies = {
    cluster,
    policy: options.policy ?? { enabled: true, provisioners: 'everyone' },
    version: '0.0.0-test',
    newId: () => `call-${++id}`,
    log,
    metrics,
    audit: auditSink,
    now: Date.now,
  };
  const mcp = createMcpEndpoint({
    tools: [...serveTools(catalog, calls), ...(options.moreTools ?? [])],
    unknownTool: (name, call) => recordUnknownTool(name, call, calls),
    version: '0.0.0-test',
    log,
    stopping: lifecycle.stopping,
    ...(options.keepAliveMs === undefined ? {} : { keepAliveMs: options.keepAliveMs }),
  });
  const server = createHttpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const given = options.authentication?.(url);
  const app = createApp({
    audit: auditSink,
    now: Date.now,
    newId: () => `refused-${++id}`,
    ...(given?.discovery ? { discovery: given.discovery } : {}),
    ...(given?.toolScopes ? { toolScopes: given.toolScopes } : {}),
    mcp,
    authenticators: [
      await createTokenFileAuthenticator({ path: tokenFile, checkIntervalMs: 0 }),
      knownPrincipals(options.principals ?? {}),
      ...(given ? [given.authenticator] : []),
    ],
    origins: options.origins ?? { allowedOrigins: [], allowedHosts: [] },
    limits: {
      calls: createRateLimiter({
        perSecond: options.callsPerSecond ?? 10_000,
        burst: options.callsPerSecond ?? 10_000,
        ...(options.callClock ? { now: options.callClock } : {}),
      }),
      failedAuthentication: createRateLimiter({ perSecond: 0.01, burst: options.failedAuthentications ?? 1000 }),
    },
    lifecycle,
    notReady: createReadiness(cluster, { ageMs: 0 }),
    log,
    metrics,
  });
  if (options.startCache) await cluster.cache.start();
  server.on('request', app);
  return {
    url,
    endpoint: `${url}/mcp`,
    server,
    cluster,
    lifecycle,
    metrics,
    runs,
    audit,
    logs,
    setTokens: (content) => writeFile(tokenFile, content),
    async close() {
      server.close();
      server.closeAllConnections();
      await mcp.close();
      await cluster.close();
      await rm(folder, { recursive: true });
    },
  };
}

function knownPrincipals(principals: Readonly<Record<string, Principal>>): Authenticator {
  return {
    name: 'known-principals',
    judge: async (credential) => {
      const principal = principals[credential];
      return principal ? { kind: 'accepted', principal } : { kind: 'unknown' };
    },
  };
}

/** One JSON-RPC request by hand, as a client that is not an SDK would send it. */
export function post(
  endpoint: string,
  body: unknown,
  headers: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<Response> {
  return fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });
}
