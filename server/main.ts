import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pino from 'pino';
import { createApp, createHttpServer } from './app.ts';
import { discoveryOf } from './auth/discovery.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from './auth/oidc.ts';
import { createRateLimiter } from './auth/rate-limit.ts';
import { createTokenFileAuthenticator } from './auth/token-file.ts';
import { createCluster } from './cluster/index.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { createLifecycle } from './lifecycle.ts';
import { type CallDependencies, recordUnknownTool } from './mcp/call.ts';
import { createMcpEndpoint } from './mcp/handler.ts';
import { serveTools } from './mcp/served-tool.ts';
import { createMetricsServer } from './metrics-server.ts';
import { createReadiness } from './readiness.ts';
import { parseRendererOptions } from './renderer-options.ts';
import { shutDown } from './shutdown.ts';
import { createAuditSink } from './telemetry/audit.ts';
import { createLogger, errorFields, type Logger } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { createCatalog } from './tools/catalog.ts';
import { createRunRecorder } from './tools/run-record.ts';
import { version } from './version.ts';

/** Calls a second of one principal for long, and at once: a stop for what runs away, far above what agents do. */
const callRate = { perSecond: 1000, burst: 2000 };
/** Wrong tokens of one address, which many clients may share: hopeless against 32 characters, and no load. */
const failedAuthenticationRate = { perSecond: 5, burst: 100 };

async function start(config: Config, log: Logger): Promise<void> {
  const files = await readFiles(config, log);
  const metrics = createMetrics();
  const lifecycle = createLifecycle();
  const cluster = await createCluster({
    connection: config.cluster,
    userAgent: `tentacular/${version}`,
    onRequest: ({ verb, resource, status, durationMs }) =>
      metrics.apiRequest(verb, resource, status, durationMs / 1000),
  });
  const warn = (message: string, error: unknown) => log.warn(errorFields(error), message);
  const now = Date.now;
  const catalog = createCatalog({
    cluster,
    rendererOptions: files.rendererOptions,
    version,
    runs: createRunRecorder(cluster, warn),
    now,
    newId: randomUUID,
  });
  const audit = createAuditSink((line) => records.write(line));
  const { stopping } = lifecycle;
  const calls: CallDependencies = {
    cluster,
    policy: { enabled: config.authzEnabled, provisioners: config.provisioners },
    version,
    log,
    metrics,
    audit,
    now,
    newId: randomUUID,
  };
  const mcp = createMcpEndpoint({
    tools: serveTools(catalog, calls),
    unknownTool: (name, call) => recordUnknownTool(name, call, calls),
    version,
    log,
    stopping,
  });
  const { oidc } = files;
  const app = createApp({
    mcp,
    audit,
    now,
    newId: randomUUID,
    authenticators: [files.authenticator, ...(oidc ? [oidc] : [])],
    ...(config.oidc && config.externalUrl ? { discovery: discoveryOf(config.externalUrl, config.oidc.issuer) } : {}),
    toolScopes: config.oidc?.toolScopes ?? {},
    origins: config,
    limits: {
      calls: createRateLimiter(callRate),
      failedAuthentication: createRateLimiter(failedAuthenticationRate),
    },
    lifecycle,
    notReady: createReadiness(cluster),
    log,
    metrics,
  });
  oidc?.start();
  const server = await listening(createHttpServer().on('request', app).listen(config.port));
  const metricsServer = await listening(createMetricsServer(metrics, log).listen(config.metricsPort));
  log.info({ port: portOf(server), metrics_port: portOf(metricsServer), version }, 'listening');
  if (!config.authzEnabled) log.warn('TENTACULAR_AUTHZ_ENABLED=false: permissions are NOT evaluated, for anybody');

  const going = { server, metricsServer, lifecycle, metrics, mcp, cluster, log, drainSeconds: config.drainSeconds };
  process.once('SIGTERM', () => shutDown(going, { lameDuck: true }).then(leave));
  process.once('SIGINT', () => shutDown(going, { lameDuck: false }).then(leave));
  await cluster.cache.start();
  log.info({ ready: cluster.cache.ready }, 'caches filled');
}

function leave(lost: number): void {
  process.exit(lost === 0 ? 0 : 1);
}

/** Everything that is read from files, with the faults of all of them at once. */
async function readFiles(config: Config, log: Logger) {
  const onFault = (message: string) => log.error(message);
  const [token, options, oidc] = await Promise.allSettled([
    createTokenFileAuthenticator({ path: config.authTokenFile, onFault }),
    readFile(config.rendererOptionsFile, 'utf8').then(parseRendererOptions),
    openOidc(config, log),
  ]);
  if (token.status === 'fulfilled' && options.status === 'fulfilled' && oidc.status === 'fulfilled') {
    return { authenticator: token.value, rendererOptions: options.value, oidc: oidc.value };
  }
  throw new ConfigError([
    ...(token.status === 'rejected' ? faultsOf('TENTACULAR_AUTH_TOKEN_FILE', token.reason) : []),
    ...(options.status === 'rejected' ? faultsOf('TENTACULAR_RENDERER_OPTIONS_FILE', options.reason) : []),
    ...(oidc.status === 'rejected' ? faultsOf('TENTACULAR_OIDC_CA_FILE', oidc.reason) : []),
  ]);
}

/** Reads the certificates and asks nobody: the server starts without the issuer. */
async function openOidc({ oidc }: Config, log: Logger): Promise<OidcAuthenticator | undefined> {
  if (oidc === undefined) return undefined;
  const ca = oidc.caFile === undefined ? undefined : await readFile(oidc.caFile, 'utf8');
  const onFault = (reason: string) => log.error({ reason }, 'the keys of the issuer cannot be fetched; trying on');
  return createOidcAuthenticator({ ...oidc, ...(ca === undefined ? {} : { ca }), onFault });
}

function faultsOf(variable: string, error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.faults;
  return [`${variable}: ${error instanceof Error ? error.message : String(error)}`];
}

function listening(server: Server): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => resolve(server));
  });
}

function portOf(server: Server): number | undefined {
  const address: AddressInfo | string | null = server.address();
  return typeof address === 'object' ? address?.port : undefined;
}

const stderr = pino.destination({ fd: 2, sync: true });
/** Written before the caller is answered: what waited in memory for a slow reader would be lost with the process. */
const records = pino.destination({ fd: 1, sync: true });
// Nobody acts without a record: from here on each would be dropped in silence.
records.on('error', (error: unknown) => {
  createLogger('info', stderr).fatal(errorFields(error), 'audit records cannot be written');
  process.exit(1);
});
try {
  const config = readConfig(process.env);
  await start(config, createLogger(config.logLevel, stderr));
} catch (error) {
  const fields = error instanceof ConfigError ? { faults: error.faults } : errorFields(error);
  createLogger('info', stderr).fatal(fields, 'the server did not start');
  process.exit(1);
}
