import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TentacularError } from '../constructs/model/errors.ts';
import type { RendererOptions } from '../constructs/model/options.ts';
import { catalog } from './binaries/catalog.ts';
import { checkPlatform } from './cluster/checks.ts';
import { readRecords } from './cluster/daemon.ts';
import { importArchive } from './cluster/images.ts';
import { type Layout, layoutOf } from './cluster/layout.ts';
import { isAlive } from './cluster/proc.ts';
import { nodeIsReady } from './cluster/readiness.ts';
import { isForeign, newRecord, readClusterRecord, storedOptions, writeClusterRecord } from './cluster/record.ts';
import { type ClusterOptions, type Settings, settingsFrom } from './cluster/settings.ts';
import { aliveDaemons, clearTheWay, daemonNames, findPrograms, type Programs, startCluster } from './cluster/start.ts';
import { stopCluster } from './cluster/stop.ts';
import { withLock } from './lock.ts';
import { type Progress, silentProgress } from './progress.ts';

/** Longer than a cold build, which another process may be at. */
const LOCK_TIMEOUT_MS = 60 * 60_000;

export type { ClusterOptions } from './cluster/settings.ts';

export interface CommandOptions extends ClusterOptions {
  /** Default: silent. */
  readonly progress?: Progress;
}

export interface StopOptions extends CommandOptions {
  /** Also where another checkout started it. Default false. */
  readonly force?: boolean;
}

/** A running cluster, and how to use it. */
export interface ClusterInfo {
  /** Path of a kubeconfig with an admin's rights, whose only context is this cluster. */
  readonly kubeconfig: string;
  /** `https://127.0.0.1:6443`. */
  readonly apiServer: string;
  readonly nodeName: string;
  readonly nodeIp: string;
  /** Address of the host "outside the cluster": a network namespace of this machine. */
  readonly extIp: string;
  /** Name of that network namespace, for `ip netns exec`. */
  readonly extNetns: string;
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodeCidrs: readonly string[];
  /** The API server as a pod reaches it, after the translation of its ClusterIP: /32 ranges. */
  readonly apiServerCidrs: readonly string[];
  readonly apiPort: number;
  readonly dnsServiceIp: string;
  /** How a NetworkPolicy selects the DNS. */
  readonly dns: RendererOptions['dns'];
  readonly containerdSocket: string;
  readonly stateDir: string;
  /** What the API server records of the writes of workloads: a JSON object a line, bounded; read by root. */
  readonly auditLog: string;
  readonly cacheDir: string;
  readonly kubectl: string;
  readonly helm: string;
  readonly ctr: string;
  readonly versions: Readonly<Record<'kubernetes' | 'etcd' | 'calico' | 'coredns' | 'helm', string>>;
  /** Whether pods may reach what this machine reaches. */
  readonly outside: boolean;
  /** Whose it is: the folder of the checkout that started it. */
  readonly checkout: string;
  /** Imports an OCI archive into the node; where that digest is already there, does nothing. */
  importImage(archive: string): Promise<void>;
}

/** What `status` finds; asking changes nothing. */
export interface ClusterStatus {
  /** `running`: every program is alive and the node ready; `partial`: some; `stopped`: none, with state; `absent`: no state. */
  readonly state: 'running' | 'partial' | 'stopped' | 'absent';
  readonly stateDir: string;
  readonly checkout?: string;
  readonly startedAt?: string;
  readonly outside?: boolean;
  readonly nodeReady: boolean;
  readonly programs: readonly { readonly name: string; readonly pid?: number; readonly alive: boolean }[];
}

/**
 * Starts the embedded cluster, or what of it does not run, and waits until pods can be used in it. Heals whatever an
 * earlier run left behind. A cluster that another checkout started is used as it is.
 * @throws TentacularError with the command that mends it: not Linux, not root, missing programs, taken ports or ranges.
 */
export async function up(options: CommandOptions = {}): Promise<ClusterInfo> {
  checkPlatform(process.platform, process.getuid?.());
  const progress = options.progress ?? silentProgress;
  const first = await prepare(options);
  const programs = await findPrograms(first.settings, progress);
  return withLock(first.settings.stateDir, { timeoutMs: LOCK_TIMEOUT_MS, progress }, async () => {
    // Read again: whoever had the lock may have started it meanwhile.
    const { settings, layout, record } = await prepare(options);
    const alive = await aliveDaemons(layout);
    const complete = daemonNames.every((name) => alive.has(name));
    if (record && alive.size > 0 && (await isForeign(record))) {
      progress.note(`this cluster was started by ${record.user} from ${record.checkout}`);
      if (complete && record.outside === settings.outside) {
        return infoOf(settings, layout, programs, record.checkout);
      }
    }
    if (record) await refuseOtherRanges(settings, layout, record);
    const owner = record && alive.size > 0 ? record : newRecord(settings);
    const { outside, ports } = settings;
    await clearTheWay(settings, layout, progress);
    await writeClusterRecord(layout, { ...owner, outside, ports });
    await startCluster(settings, layout, programs, progress);
    return infoOf(settings, layout, programs, owner.checkout);
  });
}

/** Stops the cluster; what is stored in it is there again after the next `up`. Gives whether there was anything to stop. */
export async function down(options: StopOptions = {}): Promise<boolean> {
  checkPlatform(process.platform, process.getuid?.());
  const progress = options.progress ?? silentProgress;
  const { settings, layout } = await prepare(options);
  return withLock(settings.stateDir, { timeoutMs: LOCK_TIMEOUT_MS, progress }, async () => {
    await refuseForeign(layout, options);
    return stopCluster(settings, layout, progress);
  });
}

/** Stops the cluster and deletes its state; binaries stay in the cache. */
export async function reset(options: StopOptions = {}): Promise<void> {
  checkPlatform(process.platform, process.getuid?.());
  const progress = options.progress ?? silentProgress;
  const { settings, layout } = await prepare(options);
  await withLock(settings.stateDir, { timeoutMs: LOCK_TIMEOUT_MS, progress }, async () => {
    await refuseForeign(layout, options);
    await stopCluster(settings, layout, progress);
    // Only what is known to be ours: the folder was chosen by a person and may hold more.
    const { pki, etc, cniBin, var: data, run, pids, log, images, kubeconfig, record } = layout;
    for (const path of [pki, etc, cniBin, data, run, pids, log, images, kubeconfig, record])
      await rm(path, { recursive: true, force: true });
  });
}

export async function status(options: CommandOptions = {}): Promise<ClusterStatus> {
  const { settings, layout, record } = await prepare(options);
  const records = await readRecords(layout);
  const programs = await Promise.all(
    daemonNames.map(async (name) => {
      const found = records.find((candidate) => candidate.name === name);
      const alive = found !== undefined && (await isAlive(found.identity));
      return { name, alive, ...(alive && { pid: found.identity.pid }) };
    }),
  );
  const alive = programs.filter((program) => program.alive).length;
  const nodeReady = alive > 0 && (await nodeIsReady(settings, layout, new Date(0)).catch(() => false));
  const complete = alive === programs.length && nodeReady;
  const state = complete ? 'running' : alive > 0 ? 'partial' : record ? 'stopped' : 'absent';
  return {
    state,
    stateDir: settings.stateDir,
    ...(record && { checkout: record.checkout, startedAt: record.startedAt, outside: record.outside }),
    nodeReady,
    programs,
  };
}

/**
 * Path of the kubeconfig.
 * @throws TentacularError `not_found` where no cluster has been started.
 */
export async function kubeconfig(options: ClusterOptions = {}): Promise<string> {
  const { layout } = await prepare(options);
  const isThere = await access(layout.kubeconfig).then(
    () => true,
    () => false,
  );
  if (isThere) return layout.kubeconfig;
  throw new TentacularError('not_found', `There is no local cluster in ${layout.stateDir}`, {
    hint: 'Start it: npm run cluster -- up',
  });
}

async function prepare(options: ClusterOptions) {
  const layout = layoutOf(settingsFrom(options).stateDir);
  const record = await readClusterRecord(layout);
  return { settings: settingsFrom(options, process.env, storedOptions(record)), layout, record };
}

function infoOf(settings: Settings, layout: Layout, programs: Programs, checkout: string): ClusterInfo {
  const { binaries, system } = programs;
  return {
    kubeconfig: layout.kubeconfig,
    apiServer: `https://127.0.0.1:${settings.ports.api}`,
    nodeName: settings.nodeName,
    nodeIp: settings.nodeIp,
    extIp: settings.extIp,
    extNetns: settings.extNetns,
    podCidrs: [settings.podCidr],
    serviceCidrs: [settings.serviceCidr],
    nodeCidrs: [settings.nodeCidr],
    apiServerCidrs: [`${settings.nodeIp}/32`, `${settings.apiServiceIp}/32`],
    apiPort: settings.ports.api,
    dnsServiceIp: settings.dnsServiceIp,
    dns: {
      namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
      podLabels: { 'k8s-app': 'kube-dns' },
      port: 53,
    },
    containerdSocket: layout.containerdSocket,
    stateDir: settings.stateDir,
    auditLog: layout.auditLog,
    cacheDir: settings.cacheDir,
    kubectl: binaries.kubectl,
    helm: binaries.helm,
    ctr: system.ctr,
    versions: {
      kubernetes: catalog.kubelet.version,
      etcd: catalog.etcd.version,
      calico: catalog['calico-felix'].version,
      coredns: catalog.coredns.version,
      helm: catalog.helm.version,
    },
    outside: settings.outside,
    checkout,
    importImage: (archive) => importArchive(system.ctr, layout, archive),
  };
}

/** The ranges are in every object of the cluster: they change with its state only. */
async function refuseOtherRanges(settings: Settings, layout: Layout, record: ClusterOptions): Promise<void> {
  const changed = (['podCidr', 'serviceCidr', 'nodeCidr'] as const).filter((name) => settings[name] !== record[name]);
  const hasData = await access(join(layout.etcdData, 'member')).then(
    () => true,
    () => false,
  );
  if (changed.length === 0 || !hasData) return;
  const list = changed.map((name) => `${name} is ${record[name]}, asked for ${settings[name]}`).join('; ');
  throw new TentacularError('invalid_input', `The ranges of an existing cluster cannot change: ${list}`, {
    hint: 'Start from nothing: npm run cluster -- reset, then up with the new ranges.',
  });
}

async function refuseForeign(layout: Layout, options: StopOptions): Promise<void> {
  const record = await readClusterRecord(layout);
  if (options.force || !record || !(await isForeign(record))) return;
  throw new TentacularError('permission_denied', `The cluster was started by ${record.user} from ${record.checkout}`, {
    hint: `Stop it from there, or add --force.`,
  });
}
