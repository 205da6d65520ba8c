import { type Cidr, formatAddress, parseCidr } from '../model/ip.ts';
import type { RendererOptions } from '../model/options.ts';
import { backingServiceOf } from './exoskeleton.ts';
import type { DynamicTargetDependency, Workflow } from './workflow.ts';

/** Where things are in the engine's container. */
export const enginePaths = {
  main: '/engine/main.js',
  code: '/app/workflow',
  secrets: '/app/secrets',
  importMap: '/app/workflow/import_map.json',
  lock: '/app/workflow/deno.lock',
} as const;

/** The port on which the engine listens. */
export const enginePort = 8080;

/** The only environment variables that code in the engine can read; every other one reads as undefined. */
export const readableEnvironment = [
  'TENTACULAR_ENCLAVE',
  'TENTACULAR_TENTACLE',
  'TENTACULAR_VERSION',
  'DENO_DIR',
  'HOME',
  'NPM_CONFIG_REGISTRY',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
] as const;

/** From where nodes import third-party code. Default: nowhere. */
export interface ThirdPartyImports {
  readonly kind: 'none' | 'registry' | 'esm';
  /** The code holds an import map. */
  readonly importMap: boolean;
  /** The code holds a deno.lock. */
  readonly lock: boolean;
}

const noThirdParty: ThirdPartyImports = { kind: 'none', importMap: false, lock: false };

export interface EngineFlagsInput {
  readonly workflow: Pick<Workflow, 'contract' | 'sidecars'>;
  readonly options: Pick<RendererOptions, 'exoskeleton' | 'otlp' | 'moduleProxy'>;
  readonly imports?: ThirdPartyImports;
}

/**
 * Deno's permission flags, from the contract and nothing else: exact hosts and ports, read-only code, `/tmp`.
 * Run, ffi and the rest of the file system stay shut (https://docs.deno.com/runtime/fundamentals/security/).
 */
export function engineFlags({ workflow, options, imports = noThirdParty }: EngineFlagsInput): string[] {
  return [
    '--no-prompt',
    `--allow-net=${allowedNet(workflow, options).join(',')}`,
    '--deny-net=169.254.0.0/16',
    '--allow-read=/engine,/app,/tmp',
    '--allow-write=/tmp',
    `--allow-env=${readableEnvironment.join(',')}`,
    '--ignore-env',
    '--allow-sys=hostname,osRelease,cpus,homedir',
    ...importFlags(options, imports),
  ];
}

/** The whole command of the engine's container. */
export function engineCommand(input: EngineFlagsInput): string[] {
  return ['deno', 'run', ...engineFlags(input), enginePaths.main];
}

/** `host:port` as Deno writes it, IPv6 in brackets. */
function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function allowedNet(workflow: EngineFlagsInput['workflow'], options: EngineFlagsInput['options']): string[] {
  const targets = Object.values(workflow.contract.dependencies).flatMap((dependency): string[] => {
    if (dependency.type === 'host') return [hostPort(dependency.host, dependency.port)];
    if (dependency.type === 'dynamic-target') return rangePorts(dependency);
    const service = backingServiceOf(dependency.service, options);
    return service ? [hostPort(service.host, service.port)] : [];
  });
  const collector = options.otlp ? [originOf(options.otlp.endpoint)] : [];
  const sidecars = workflow.sidecars.map(({ port }) => `localhost:${port}`);
  const outgoing = [...new Set([...targets, ...collector, ...sidecars])].sort();
  return [...outgoing, `[::]:${enginePort}`, `0.0.0.0:${enginePort}`];
}

// `:443` would not do: to Deno that is port 443 of localhost. It knows ranges of IPv4 only, and matches addresses, no names.
function rangePorts({ cidr, ports }: DynamicTargetDependency): string[] {
  const range = parseCidr(cidr);
  if (!range || !isExpressible(range)) return [];
  const target = range.version === 4 && range.prefix < 32 ? cidr : formatAddress(range);
  return ports.map(({ port }) => hostPort(target, port));
}

/** False for a range that the engine's flags cannot open: IPv6, and more than one address. */
export function isExpressible({ version, prefix }: Cidr): boolean {
  return version === 4 || prefix === 128;
}

function importFlags(
  { moduleProxy }: EngineFlagsInput['options'],
  { kind, importMap, lock }: ThirdPartyImports,
): string[] {
  const map = importMap ? [`--import-map=${enginePaths.importMap}`] : [];
  if (kind === 'none' || !moduleProxy) return ['--no-remote', '--no-npm', ...map];
  // Its npm: and jsr: imports are mapped to the proxy; what is not would be fetched past --allow-net.
  if (kind === 'esm') return ['--no-npm', `--allow-import=${originOf(moduleProxy.url)}`, ...map];
  return ['--no-remote', ...map, ...(lock ? [`--lock=${enginePaths.lock}`, '--frozen'] : [])];
}

/** `host:port` of a URL, the port also where the URL leaves it out. */
function originOf(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port === '' ? (protocol === 'https:' ? 443 : 80) : port}`;
}
