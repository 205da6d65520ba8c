import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import { cacheFolder } from '../binaries/find.ts';
import { type AddressRange, parseRange, rangesOverlap } from '../network/address-range.ts';

/** Every TCP port that the cluster listens on, by the name under which it can be set. */
export const defaultPorts = {
  api: 6443,
  etcd: 2379,
  etcdPeer: 2380,
  controllerManager: 10257,
  scheduler: 10259,
  kubelet: 10250,
  kubeletHealth: 10248,
  proxyHealth: 10256,
  proxyMetrics: 10249,
  felixHealth: 9099,
} as const;

export type PortName = keyof typeof defaultPorts;
export type Ports = Readonly<Record<PortName, number>>;

const DEFAULT_STATE = '/var/lib/tentacular';
const DEFAULT_INSTANCE = 'tentacular';

/** What a caller may choose; all else follows from it. */
export interface ClusterOptions {
  /** Folder of the cluster's state. Default: `TENTACULAR_STATE`, else `/var/lib/tentacular`. */
  readonly stateDir?: string;
  /** Folder of binaries and build caches. Default: `TENTACULAR_CACHE`, else `~/.cache/tentacular`. */
  readonly cacheDir?: string;
  /** Pods may reach what this machine reaches (masqueraded). Default: `TENTACULAR_OUTSIDE=1`, else false: nothing leaves. */
  readonly outside?: boolean;
  /** Default: `TENTACULAR_PORTS` (`api=7443,kubelet=10350`), else the usual ones. */
  readonly ports?: Partial<Ports>;
  /** The cluster's pods; at least a /24. Default: `TENTACULAR_POD_CIDR`, else 10.244.0.0/16. */
  readonly podCidr?: string;
  /** Services; at least a /24. Default: `TENTACULAR_SERVICE_CIDR`, else 10.96.0.0/16. */
  readonly serviceCidr?: string;
  /** The node and the one host "outside"; at least a /29. Default: `TENTACULAR_NODE_CIDR`, else 172.31.255.0/24. */
  readonly nodeCidr?: string;
}

export interface Settings {
  readonly stateDir: string;
  readonly cacheDir: string;
  /** `tentacular` for the default state folder, else with a suffix: names interface-independent things of the kernel. */
  readonly instance: string;
  readonly outside: boolean;
  readonly ports: Ports;
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly nodeCidr: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Address of the network namespace that plays a host outside the cluster. */
  readonly extIp: string;
  /** ClusterIP of the API server. */
  readonly apiServiceIp: string;
  /** ClusterIP of the DNS. */
  readonly dnsServiceIp: string;
  readonly extNetns: string;
  /** Name of the veth end that carries the node's address. */
  readonly nodeInterface: string;
}

/**
 * Options over environment over what the cluster was started with (`stored`) over defaults, checked.
 * @throws TentacularError `invalid_input` with every fault.
 */
export function settingsFrom(
  options: ClusterOptions = {},
  env: NodeJS.ProcessEnv = process.env,
  stored: ClusterOptions = {},
): Settings {
  const faults: Fault[] = [];
  const stateDir = resolve(options.stateDir ?? (env.TENTACULAR_STATE || DEFAULT_STATE));
  const range = (name: 'podCidr' | 'serviceCidr' | 'nodeCidr', variable: string, standard: string, maxPrefix: number) =>
    checkedRange(name, options[name] ?? (env[variable] || (stored[name] ?? standard)), maxPrefix, faults);
  const pods = range('podCidr', 'TENTACULAR_POD_CIDR', '10.244.0.0/16', 24);
  const services = range('serviceCidr', 'TENTACULAR_SERVICE_CIDR', '10.96.0.0/16', 24);
  const nodes = range('nodeCidr', 'TENTACULAR_NODE_CIDR', '172.31.255.0/24', 29);
  for (const [a, b] of [
    [pods, services],
    [pods, nodes],
    [services, nodes],
  ] as const) {
    if (rangesOverlap(a, b))
      faults.push({ path: `${a.text} and ${b.text}`, message: 'must not overlap', allowed: 'three separate ranges' });
  }
  const ports = {
    ...defaultPorts,
    ...stored.ports,
    ...portsFrom(env.TENTACULAR_PORTS ?? '', faults),
    ...options.ports,
  };
  checkPorts(ports, faults);
  if (faults.length > 0) throw invalidInput('The settings of the local cluster', faults);
  const instance = instanceOf(stateDir);
  return {
    stateDir,
    cacheDir: resolve(options.cacheDir ?? cacheFolder(env)),
    instance,
    outside: options.outside ?? ['1', 'true'].includes(env.TENTACULAR_OUTSIDE ?? ''),
    ports,
    podCidr: pods.text,
    serviceCidr: services.text,
    nodeCidr: nodes.text,
    nodeName: `${instance}-node`,
    nodeIp: nodes.address(1),
    extIp: nodes.address(2),
    apiServiceIp: services.address(1),
    dnsServiceIp: services.address(10),
    extNetns: `${instance}-ext`,
    nodeInterface: 'tentacular0',
  };
}

/** `api=7443,kubelet=10350` as ports. */
export function portsFrom(text: string, faults: Fault[]): Partial<Ports> {
  const ports: Partial<Record<PortName, number>> = {};
  for (const item of text.split(',').filter((part) => part.trim() !== '')) {
    const [name = '', number = ''] = item.split('=').map((part) => part.trim());
    if (!isPortName(name)) {
      const allowed = Object.keys(defaultPorts).join(', ');
      faults.push({ path: 'ports', message: 'must name a port of the cluster', found: name, allowed });
    } else ports[name] = Number(number);
  }
  return ports;
}

function checkPorts(ports: Ports, faults: Fault[]): void {
  const seen = new Map<number, string>();
  for (const [name, port] of Object.entries(ports)) {
    if (!Number.isInteger(port) || port < 1 || port > 65535)
      faults.push({ path: `ports.${name}`, message: 'must be a port', found: String(port), allowed: '1-65535' });
    const other = seen.get(port);
    if (other !== undefined) faults.push({ path: `ports.${name}`, message: `must differ from ${other}`, found: port });
    seen.set(port, name);
  }
}

function checkedRange(path: string, text: string, maxPrefix: number, faults: Fault[]): AddressRange {
  const range = parseRange(text);
  if (range && range.prefix <= maxPrefix && range.prefix >= 8) return range;
  const allowed = `an IPv4 range between /8 and /${maxPrefix}, written with its first address`;
  faults.push({ path, message: 'must be an address range', found: text, allowed });
  return { text, first: 0, last: -1, prefix: 32, address: () => '0.0.0.0' };
}

function isPortName(name: string): name is PortName {
  return Object.hasOwn(defaultPorts, name);
}

function instanceOf(stateDir: string): string {
  if (stateDir === DEFAULT_STATE) return DEFAULT_INSTANCE;
  return `${DEFAULT_INSTANCE}-${createHash('sha256').update(stateDir).digest('hex').slice(0, 6)}`;
}
