import { copyFile, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { type BinaryName, binaryNames, catalog } from '../binaries/catalog.ts';
import { findBinaries } from '../binaries/find.ts';
import { ensureGuard } from '../network/guard.ts';
import { ensureTopology, interfaceNames } from '../network/topology.ts';
import type { Progress } from '../progress.ts';
import { runCommand } from '../run-command.ts';
import { ensureCalico, ensureCoredns } from './addons.ts';
import { auditFiles } from './audit.ts';
import { ensureCertificates } from './certificates.ts';
import { ensureCgroups } from './cgroups.ts';
import { checkOtherCluster, checkPorts, checkRanges, hostResolvers } from './checks.ts';
import { type ControlPlane, controlPlane } from './control-plane.ts';
import { type Daemon, ensureStarted, readRecords, waitUntilReady } from './daemon.ts';
import { importArchive, ownImages } from './images.ts';
import type { Layout } from './layout.ts';
import { type Node, node, nodeConfigFiles } from './node.ts';
import { cniPlugins, ensurePackages, type SystemPrograms } from './packages.ts';
import { isAlive } from './proc.ts';
import { endStrays, hasRemains, purgeNode } from './purge.ts';
import { waitForDns, waitForNode } from './readiness.ts';
import type { PortName, Settings } from './settings.ts';
import { writeIfChanged } from './write-file.ts';

/** Programs that a cluster consists of: paths of what was found, built or installed. */
export interface Programs {
  readonly binaries: Readonly<Record<BinaryName, string>>;
  readonly system: SystemPrograms;
}

/** Which program listens on which ports. */
const portsOf: Readonly<Record<string, readonly PortName[]>> = {
  etcd: ['etcd', 'etcdPeer'],
  'kube-apiserver': ['api'],
  'kube-controller-manager': ['controllerManager'],
  'kube-scheduler': ['scheduler'],
  kubelet: ['kubelet', 'kubeletHealth'],
  'kube-proxy': ['proxyHealth', 'proxyMetrics'],
  'calico-felix': ['felixHealth'],
};

export async function findPrograms(settings: Settings, progress: Progress): Promise<Programs> {
  const system = await ensurePackages(progress);
  const binaries = await findBinaries(binaryNames, { cacheDir: settings.cacheDir, progress });
  return { binaries, system };
}

/** Names of the recorded programs that are alive. */
export async function aliveDaemons(layout: Layout): Promise<Set<string>> {
  const alive = new Set<string>();
  for (const record of await readRecords(layout)) if (await isAlive(record.identity)) alive.add(record.name);
  return alive;
}

/** Names of every program of a running cluster. */
export const daemonNames: readonly string[] = [...Object.keys(portsOf), 'containerd'];

/** Starts every program that does not run, in order, and waits until pods can be used. The caller holds the lock. */
export async function startCluster(
  settings: Settings,
  layout: Layout,
  programs: Programs,
  progress: Progress,
): Promise<void> {
  await mkdir(layout.stateDir, { recursive: true });
  const resolvers = settings.outside ? await hostResolvers() : [];
  await Promise.all([
    ensureCertificates(settings, layout),
    writeConfigFiles(settings, layout, programs, resolvers),
    ensureTopology(settings).then(() => ensureGuard(settings)),
    ensureCgroups(settings.instance),
  ]);
  const parts = {
    ...controlPlane(settings, layout, programs.binaries),
    ...node(
      settings,
      layout,
      { ...programs.binaries, containerd: programs.system.containerd },
      await iptablesBackend(),
    ),
  };
  const images = startImages(settings, layout, programs, parts, progress);
  // Awaited below; until then a failure of it is not to end the process.
  images.catch(() => undefined);
  await startControlPlane(layout, parts, progress);
  const corednsRef = await images;
  const addons = { settings, layout, kubectl: programs.binaries.kubectl };
  const startedAt = new Date();
  const [kubelet] = await Promise.all([
    startOne(parts.kubelet, layout, progress),
    startOne(parts.proxy, layout, progress),
    ensureCalico(addons, programs.binaries['calico-felix']).then(() => startOne(parts.felix, layout, progress)),
  ]);
  await progress.step('node ready, DNS answers', async () => {
    await waitForNode(settings, layout, kubelet === 'running' ? new Date(0) : startedAt);
    // Not before the node has its range of addresses: the kubelet waits 10 s and more after a pod that got none.
    await ensureCoredns(addons, corednsRef, resolvers);
    await waitForDns(settings, layout);
  });
}

/**
 * Clears what crashes, kills and deleted folders leave behind, then checks that the way is free. Writes no state.
 * @throws TentacularError `unavailable`: another cluster, taken ports, taken ranges.
 */
export async function clearTheWay(settings: Settings, layout: Layout, progress: Progress): Promise<void> {
  await checkOtherCluster(settings);
  const strays = await endStrays(layout);
  if (strays > 0) progress.note(`ended ${strays} programs of an earlier start that was not recorded`);
  const alive = await aliveDaemons(layout);
  // Without containerd no container can be taken over: pods start again, as after a reboot.
  if (!alive.has('containerd') && (alive.has('kubelet') || (await hasRemains(settings, layout)))) {
    await progress.step('clearing what an earlier cluster left behind', () => purgeNode(settings, layout));
  }
  const running = await aliveDaemons(layout);
  const needed = Object.entries(portsOf).flatMap(([name, ports]) => (running.has(name) ? [] : ports));
  await checkPorts(settings, needed);
  if (!(await interfaceNames()).includes(settings.nodeInterface)) await checkRanges(settings);
}

async function startImages(
  settings: Settings,
  layout: Layout,
  programs: Programs,
  parts: Node,
  progress: Progress,
): Promise<string> {
  const coredns = { path: programs.binaries.coredns, version: catalog.coredns.version };
  const images = ownImages(settings, layout, coredns);
  images.catch(() => undefined);
  await startOne(parts.containerd, layout, progress);
  const { archives, corednsRef } = await images;
  for (const archive of archives) await importArchive(programs.system.ctr, layout, archive);
  return corednsRef;
}

async function startControlPlane(layout: Layout, parts: ControlPlane, progress: Progress): Promise<void> {
  await startEtcd(parts.etcd, layout, progress);
  await startOne(parts.apiServer, layout, progress);
  await Promise.all([startOne(parts.controllerManager, layout, progress), startOne(parts.scheduler, layout, progress)]);
}

/** Data that etcd cannot read (a power cut) is put aside, not deleted. */
async function startEtcd(etcd: Daemon, layout: Layout, progress: Progress): Promise<void> {
  const hadData = await stat(join(layout.etcdData, 'member')).then(
    () => true,
    () => false,
  );
  try {
    await startOne(etcd, layout, progress);
  } catch (error) {
    if (!hadData || !(error instanceof TentacularError) || error.code !== 'cluster_error') throw error;
    const aside = `${layout.etcdData}.damaged`;
    await rm(aside, { recursive: true, force: true });
    await rename(layout.etcdData, aside);
    progress.note(`etcd could not read its data, which is now in ${aside}: the cluster starts empty`);
    await startOne(etcd, layout, progress);
  }
}

async function startOne(daemon: Daemon, layout: Layout, progress: Progress) {
  const outcome = await ensureStarted(daemon, layout);
  if (outcome === 'running') await waitUntilReady(daemon, layout);
  else await progress.step(`${daemon.name} ${outcome}`, () => waitUntilReady(daemon, layout));
  return outcome;
}

async function writeConfigFiles(
  settings: Settings,
  layout: Layout,
  programs: Programs,
  resolvers: readonly string[],
): Promise<void> {
  const files = { ...auditFiles(layout), ...nodeConfigFiles(settings, layout, resolvers) };
  for (const [path, content] of Object.entries(files)) await writeIfChanged(path, content);
  await mkdir(layout.cniBin, { recursive: true });
  for (const plugin of cniPlugins)
    await copyIfChanged(join(programs.system.cniFolder, plugin), join(layout.cniBin, plugin));
  await copyIfChanged(programs.binaries['calico-cni'], join(layout.cniBin, 'calico'));
}

/** Copies a program by way of a rename: one that runs at this moment is not written to. */
async function copyIfChanged(source: string, target: string): Promise<void> {
  const identity = async (path: string) => stat(path).then(({ size, mtimeMs }) => `${size} ${Math.floor(mtimeMs)}`);
  const wanted = `${source} ${await identity(source)}`;
  const stamp = `${target}.copied-from`;
  const current = await readFile(stamp, 'utf8').catch(() => '');
  const isThere = await stat(target).then(
    () => true,
    () => false,
  );
  if (isThere && current === wanted) return;
  await copyFile(source, `${target}.part`);
  await rename(`${target}.part`, target);
  await writeIfChanged(stamp, wanted);
}

async function iptablesBackend(): Promise<'NFT' | 'Legacy'> {
  return (await runCommand('iptables', ['--version'])).includes('nf_tables') ? 'NFT' : 'Legacy';
}
