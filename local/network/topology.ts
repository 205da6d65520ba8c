import { writeFile } from 'node:fs/promises';
import type { Settings } from '../cluster/settings.ts';
import { runCommand } from '../run-command.ts';

/** What Calico's CNI plugin makes every pod's default gateway. */
const CALICO_GATEWAY = '169.254.1.1';

/**
 * The node's address sits on a veth whose other end is in a network namespace that plays "a host outside the cluster":
 * loopback cannot carry it (endpoints refuse it), and not every kernel has a dummy device.
 * Whatever is addressed to a ClusterIP or pod address that nobody has dies here instead of going to the default route.
 */
export async function ensureTopology(settings: Settings): Promise<void> {
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  if (!(await isComplete(settings))) {
    await removeTopology(settings);
    await build(settings);
  }
  await ip('route', 'replace', settings.serviceCidr, 'dev', settings.nodeInterface, 'src', settings.nodeIp);
  await ip('route', 'replace', 'blackhole', settings.podCidr);
  // Pods send through this address, for which the kernel answers ARP only where it has a route elsewhere: without this
  // one, a machine that has no default route (offline) has no pod network.
  await ip('route', 'replace', CALICO_GATEWAY, 'dev', settings.nodeInterface);
}

/** Removes the veth pair, the namespace and the routes; what is not there is no error. */
export async function removeTopology(settings: Settings): Promise<void> {
  // The link first, which takes its other end with it: the kernel clears a deleted namespace, and with it our end of the
  // link, at a moment of its own, which must not lie between our listing it and our deleting it.
  await removeInterface(settings.nodeInterface);
  if ((await netnsNames()).includes(settings.extNetns)) await ip('netns', 'delete', settings.extNetns);
  const routes = await ip('-4', 'route', 'show', 'type', 'blackhole');
  if (routes.split('\n').some((line) => line.trim().startsWith(`blackhole ${settings.podCidr}`)))
    await ip('route', 'delete', 'blackhole', settings.podCidr);
}

/** Removes a network interface; one that is not there, or vanishes meanwhile with its other end, is no error. */
export async function removeInterface(name: string): Promise<void> {
  if (!(await interfaceNames()).includes(name)) return;
  try {
    await ip('link', 'delete', name);
  } catch (error) {
    if ((await interfaceNames()).includes(name)) throw error;
  }
}

/** Names of the network interfaces of this network namespace. */
export async function interfaceNames(): Promise<string[]> {
  const lines = (await ip('-o', 'link', 'show')).split('\n');
  return lines.map((line) => /^\d+: ([^:@]+)/.exec(line)?.[1]).filter((name) => name !== undefined);
}

export async function ip(...args: string[]): Promise<string> {
  return runCommand('ip', args);
}

async function build({ extNetns, extIp, nodeIp, nodeInterface, nodeCidr }: Settings): Promise<void> {
  const prefix = nodeCidr.slice(nodeCidr.indexOf('/'));
  await ip('netns', 'add', extNetns);
  await ip('link', 'add', nodeInterface, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', extNetns);
  await ip('addr', 'add', `${nodeIp}${prefix}`, 'dev', nodeInterface);
  await ip('link', 'set', nodeInterface, 'up');
  await ip('-n', extNetns, 'link', 'set', 'lo', 'up');
  await ip('-n', extNetns, 'addr', 'add', `${extIp}${prefix}`, 'dev', 'eth0');
  await ip('-n', extNetns, 'link', 'set', 'eth0', 'up');
  await ip('-n', extNetns, 'route', 'add', 'default', 'via', nodeIp);
}

/** Whether both ends are there and up: a run killed half-way leaves a part of it. */
async function isComplete({ extNetns, extIp, nodeIp, nodeInterface }: Settings): Promise<boolean> {
  if (!(await netnsNames()).includes(extNetns)) return false;
  if (!(await interfaceNames()).includes(nodeInterface)) return false;
  const [inside, outside, route] = await Promise.all([
    ip('-o', '-4', 'addr', 'show', 'dev', nodeInterface, 'up'),
    // The namespace may be one that a reboot left as an empty file.
    ip('-n', extNetns, '-o', '-4', 'addr', 'show', 'up').catch(() => ''),
    ip('-n', extNetns, 'route', 'show', 'default').catch(() => ''),
  ]);
  return inside.includes(` ${nodeIp}/`) && outside.includes(` ${extIp}/`) && route.includes(`via ${nodeIp}`);
}

async function netnsNames(): Promise<string[]> {
  const lines = (await ip('netns', 'list')).split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '').filter((name) => name !== '');
}
