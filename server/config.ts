import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { isMemberName, parseMembers } from '../constructs/model/members.ts';
import { isHostRule, isOriginRule } from './auth/origin.ts';
import { type OidcConfig, oidcConfig, oidcVariables } from './oidc-config.ts';

/** Configuration of the process, checked. Read from the environment by `main.ts` and by nothing else. */
export interface Config {
  readonly port: number;
  /** 0 on either port: one that is free. */
  readonly metricsPort: number;
  readonly authTokenFile: string;
  readonly rendererOptionsFile: string;
  readonly namespace: string;
  readonly podName: string;
  /** Where clients reach the server, without /mcp and without a slash at the end; and its host alone. */
  readonly externalUrl?: string;
  readonly externalHost?: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  /** Absent: bearer tokens only. */
  readonly oidc?: OidcConfig;
  readonly authzEnabled: boolean;
  /** Who may make enclaves, besides bearer callers: `everyone` who is a verified person, or members' names and `@domain`s. */
  readonly provisioners: 'everyone' | readonly string[];
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';
  /** Seconds from SIGTERM to the end, at most. */
  readonly drainSeconds: number;
  readonly cluster:
    | { readonly kind: 'context'; readonly context: string; readonly kubeconfig?: string }
    | { readonly kind: 'in-cluster'; readonly host: string; readonly port: number };
}

/** All that is wrong with the environment, one sentence each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `- ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const port = z.coerce.number().int().min(0).max(65_535);
const path = z.string().refine(isAbsolute, 'must be an absolute path');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== ''),
);
const hosts = list.pipe(
  z.array(z.string().refine(isHostRule, 'must be hosts without scheme and port: mcp.example.com')),
);
const origins = list.pipe(
  z.array(z.string().refine(isOriginRule, 'must be hosts without port, or origins: https://app.example.com:8443')),
);
const domain = /^@[^\s@,]+\.[^\s@,]+$/;
/** `everyone`, `nobody`, or a list. */
const provisioners = z.string().transform((text, context) => {
  if (text === 'everyone') return text;
  const names = text === 'nobody' ? [] : parseMembers(text);
  for (const name of names.filter((given) => !isMemberName(given) && !domain.test(given))) {
    const allowed = 'everyone, nobody, or e-mail addresses, @domain, client:<id>, separated by commas';
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(name)} is nobody who could be one; allowed: ${allowed}`,
    });
  }
  return names;
});
const name = z.string().regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a Kubernetes name');
const externalUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .transform((text) => new URL(text))
  .refine(
    (url) => url.href === url.origin + url.pathname,
    'must have no user, query or fragment: https://mcp.example.com',
  )
  .transform(({ origin, pathname, hostname }) => ({ url: origin + pathname.replace(/\/+$/, ''), hostname }));

const schema = z.object({
  TENTACULAR_PORT: port.default(8080),
  TENTACULAR_METRICS_PORT: port.default(9090),
  TENTACULAR_AUTH_TOKEN_FILE: path.default('/etc/tentacular/auth/token'),
  TENTACULAR_RENDERER_OPTIONS_FILE: path.default('/etc/tentacular/options/renderer.json'),
  TENTACULAR_NAMESPACE: name.default('tentacular-system'),
  TENTACULAR_POD_NAME: name.default('tentacular-mcp'),
  TENTACULAR_EXTERNAL_URL: externalUrl.optional(),
  TENTACULAR_ALLOWED_HOSTS: hosts.default([]),
  TENTACULAR_ALLOWED_ORIGINS: origins.default([]),
  ...oidcVariables,
  TENTACULAR_AUTHZ_ENABLED: z.enum(['true', 'false']).default('true'),
  TENTACULAR_AUTHZ_PROVISIONERS: provisioners.default('everyone'),
  TENTACULAR_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
  TENTACULAR_DRAIN_SECONDS: z.coerce.number().int().min(1).max(3600).default(20),
  TENTACULAR_CONTEXT: z.string().min(1).optional(),
  KUBECONFIG: z.string().min(1).optional(),
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  KUBERNETES_SERVICE_PORT: port.optional(),
});

/** The configuration that an environment means. An empty variable counts as absent. Throws ConfigError with all faults. */
export function readConfig(environment: Environment): Config {
  const known = Object.keys(schema.shape).map((key) => [key, environment[key] || undefined] as const);
  const parsed = schema.safeParse(Object.fromEntries(known.filter(([, value]) => value !== undefined)));
  const faults = parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const cluster = clusterOf(environment);
  if (typeof cluster === 'string') faults.push(cluster);
  if (!parsed.success) throw new ConfigError(faults);
  const value = parsed.data;
  const external = value.TENTACULAR_EXTERNAL_URL;
  const oidc = oidcConfig(value, external?.url);
  if (oidc !== undefined && 'faults' in oidc) throw new ConfigError([...faults, ...oidc.faults]);
  if (typeof cluster === 'string') throw new ConfigError(faults);
  return {
    port: value.TENTACULAR_PORT,
    metricsPort: value.TENTACULAR_METRICS_PORT,
    authTokenFile: value.TENTACULAR_AUTH_TOKEN_FILE,
    rendererOptionsFile: value.TENTACULAR_RENDERER_OPTIONS_FILE,
    namespace: value.TENTACULAR_NAMESPACE,
    podName: value.TENTACULAR_POD_NAME,
    ...(external ? { externalUrl: external.url, externalHost: external.hostname } : {}),
    allowedHosts: value.TENTACULAR_ALLOWED_HOSTS,
    allowedOrigins: value.TENTACULAR_ALLOWED_ORIGINS,
    ...(oidc ? { oidc } : {}),
    authzEnabled: value.TENTACULAR_AUTHZ_ENABLED === 'true',
    provisioners: value.TENTACULAR_AUTHZ_PROVISIONERS,
    logLevel: value.TENTACULAR_LOG_LEVEL,
    drainSeconds: value.TENTACULAR_DRAIN_SECONDS,
    cluster,
  };
}

/** Outside the cluster only the context that is named, never the current one; inside, the mounted ServiceAccount. */
function clusterOf(environment: Environment): Config['cluster'] | string {
  const context = environment.TENTACULAR_CONTEXT;
  const kubeconfig = environment.KUBECONFIG;
  if (context) return { kind: 'context', context, ...(kubeconfig ? { kubeconfig } : {}) };
  const host = environment.KUBERNETES_SERVICE_HOST;
  const servicePort = Number(environment.KUBERNETES_SERVICE_PORT || 443);
  if (host && Number.isInteger(servicePort)) return { kind: 'in-cluster', host, port: servicePort };
  return 'TENTACULAR_CONTEXT: is required outside the cluster: the name of a kubeconfig context';
}
