import { readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { parseRange, rangesOverlap } from '../network/address-range.ts';
import { portHolder } from '../network/listeners.ts';
import { ip } from '../network/topology.ts';
import { daemonPrograms, markedProcesses, programOf } from './proc.ts';
import type { PortName, Settings } from './settings.ts';

const OTHER_WAY =
  'Use kind or k3d instead (kind create cluster), and name its context: TENTACULAR_CONTEXT=kind-kind npm start';

/** @throws TentacularError `unavailable` where this machine cannot run the cluster. */
export function checkPlatform(platform: NodeJS.Platform, uid: number | undefined): void {
  if (platform !== 'linux') {
    throw new TentacularError('unavailable', `The embedded cluster runs on Linux only; this is ${platform}`, {
      hint: `${OTHER_WAY}.`,
      retryable: false,
    });
  }
  if (uid !== 0) {
    throw new TentacularError(
      'unavailable',
      'The embedded cluster has to be started by root (it makes network namespaces)',
      {
        hint: `Run it as root: sudo env "PATH=$PATH" npm run cluster -- up. ${OTHER_WAY}.`,
        retryable: false,
      },
    );
  }
}

/** @throws TentacularError `unavailable` that names each taken port, who has it, and how to choose another. */
export async function checkPorts(settings: Settings, needed: readonly PortName[]): Promise<void> {
  const taken: { name: PortName; holder: string }[] = [];
  for (const name of needed) {
    const holder = await portHolder(settings.ports[name]);
    if (holder !== undefined) taken.push({ name, holder });
  }
  if (taken.length === 0) return;
  const list = taken.map(({ name, holder }) => `${settings.ports[name]} (${name}) by ${holder}`).join('; ');
  const example = taken.map(({ name }) => `${name}=${settings.ports[name] + 1000}`).join(',');
  throw new TentacularError('unavailable', `Ports of the local cluster are taken: ${list}`, {
    hint: `End that program, or choose others: npm run cluster -- up --ports ${example}`,
  });
}

/** @throws TentacularError `unavailable` where a route of this machine overlaps a range of the cluster. */
export async function checkRanges(settings: Settings): Promise<void> {
  const overlaps = overlappingRoutes(settings, await ip('-4', 'route', 'show', 'table', 'all'));
  if (overlaps.length === 0) return;
  throw new TentacularError('unavailable', `Address ranges of the local cluster are in use: ${overlaps.join('; ')}`, {
    hint: 'Choose others: npm run cluster -- up --pod-cidr 10.180.0.0/16 --service-cidr 10.181.0.0/16 --node-cidr 172.30.255.0/24',
  });
}

/** Routes of `ip -4 route show table all` that overlap the cluster's ranges and are not its own. */
export function overlappingRoutes(settings: Settings, routes: string): string[] {
  const overlaps: string[] = [];
  for (const line of routes.split('\n')) {
    const words = line.trim().split(/\s+/);
    const device = words[words.indexOf('dev') + 1];
    if (!line.includes(' dev ') || device === settings.nodeInterface || /^cali[0-9a-f]{11}$/.test(device ?? ''))
      continue;
    // `local`, `broadcast` and the like stand before the destination; `default` is no range.
    const range = words
      .slice(0, 2)
      .map(parseRange)
      .find((found) => found !== undefined);
    if (range === undefined || range.prefix === 0) continue;
    for (const own of [settings.podCidr, settings.serviceCidr, settings.nodeCidr]) {
      const ours = parseRange(own);
      if (ours && rangesOverlap(ours, range)) overlaps.push(`${own} overlaps ${range.text} of interface ${device}`);
    }
  }
  return overlaps;
}

/** @throws TentacularError `unavailable` where another cluster of ours, with its own state folder, uses this network. */
export async function checkOtherCluster(settings: Settings): Promise<void> {
  const network = await networkOf('self');
  for (const { pid, value } of await markedProcesses()) {
    if (value === settings.stateDir || (await networkOf(String(pid))) !== network) continue;
    // Its programs, and the shims that its pods live in. A helper that outlives them for a moment is no cluster.
    const program = basename((await programOf(pid)) ?? '');
    if (!daemonPrograms.has(program) && !program.startsWith('containerd-shim')) continue;
    throw new TentacularError('unavailable', `Another local cluster runs on this machine; its state is in ${value}`, {
      hint: `Use it: TENTACULAR_STATE=${value} npm run cluster -- status. Or stop it: TENTACULAR_STATE=${value} npm run cluster -- down`,
    });
  }
}

async function networkOf(pid: string): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}

/** Addresses of the machine's DNS servers that a pod could reach; systemd's stub listens on loopback and is looked through. */
export async function hostResolvers(): Promise<string[]> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const text = await readFile(file, 'utf8').catch(() => '');
    const found = [...text.matchAll(/^nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/gm)].map((match) => match[1] ?? '');
    const reachable = found.filter((address) => !address.startsWith('127.'));
    if (reachable.length > 0) return reachable;
  }
  return [];
}
