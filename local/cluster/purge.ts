import { readFile, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { runCommand } from '../run-command.ts';
import { cgroupPids, removeCgroups } from './cgroups.ts';
import { readRecord, readRecords, removeRecord, stop } from './daemon.ts';
import type { Layout } from './layout.ts';
import { daemonPrograms, hasEnded, isAlive, markedProcesses, programOf, signal, statOf } from './proc.ts';
import type { Settings } from './settings.ts';
import { pollUntil } from './wait.ts';

const KILL_TIMEOUT_MS = 30_000;
const MAX_UNMOUNT_ROUNDS = 5;

/**
 * Ends the cluster's programs of which no record is left: those of a start that was killed before it wrote it down, and
 * those whose state folder was deleted. They are known by the marker in their environment. Shims stay: pods live in them.
 */
export async function endStrays(layout: Layout): Promise<number> {
  const recorded = new Set<number>();
  for (const record of await readRecords(layout)) {
    if (await isAlive(record.identity)) recorded.add(record.identity.pid);
  }
  const strays: number[] = [];
  for (const { pid, value } of await markedProcesses()) {
    if (value !== layout.stateDir || recorded.has(pid)) continue;
    // By name too: helpers that containerd and the kubelet run for a moment inherit the marker.
    if (daemonPrograms.has(basename((await programOf(pid)) ?? ''))) strays.push(pid);
  }
  await killAll(strays);
  return strays.length;
}

/** Whether pods of an earlier run are left: containers, shims, or mounts. */
export async function hasRemains(settings: Settings, layout: Layout): Promise<boolean> {
  if ((await mountsBelow(layout.stateDir)).length > 0) return true;
  if ((await cgroupPids(settings.instance)).size > 0) return true;
  return (await shims(layout)).length > 0;
}

/**
 * Brings the node to where a reboot would bring it: kubelet and containerd stopped, every container ended, its mounts,
 * network namespaces and address leases gone. Images and volumes on disk stay; the kubelet starts the pods again.
 */
export async function purgeNode(settings: Settings, layout: Layout): Promise<void> {
  for (const name of ['kubelet', 'containerd']) {
    const record = await readRecord(layout, name);
    if (record) await stop(record);
    await removeRecord(layout, name);
  }
  await endStrays(layout);
  // Shims first: one that is alive would answer the end of its container.
  await killAll(await shims(layout));
  await killAll([...(await cgroupPids(settings.instance))]);
  await unmountBelow(layout.stateDir);
  await removeCgroups(settings.instance);
  for (const folder of [layout.run, layout.ipam]) await rm(folder, { recursive: true, force: true });
}

/** Unmounts everything below a folder, the innermost first. */
async function unmountBelow(folder: string): Promise<void> {
  for (let round = 0; round < MAX_UNMOUNT_ROUNDS; round++) {
    const mounts = await mountsBelow(folder);
    if (mounts.length === 0) return;
    // Lazily: a process of another namespace may still look at it; it goes when that one ends.
    for (const mount of mounts) await runCommand('umount', ['-l', mount]).catch(() => undefined);
  }
  const left = await mountsBelow(folder);
  if (left.length === 0) return;
  throw new TentacularError('cluster_error', `${left[0]} cannot be unmounted`, {
    hint: `See who uses it: fuser -vm ${left[0]}`,
  });
}

async function mountsBelow(folder: string): Promise<string[]> {
  return mountPointsBelow(folder, await readFile('/proc/self/mountinfo', 'utf8'));
}

/** Mount points at or below a folder, the last mounted first (proc_pid_mountinfo(5): field 5, octal escapes). */
export function mountPointsBelow(folder: string, mountinfo: string): string[] {
  return mountinfo
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_match, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .map((path) => path.replace(/\/\/deleted$/, ''))
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .reverse();
}

async function shims(layout: Layout): Promise<number[]> {
  const found: number[] = [];
  for (const { pid, value } of await markedProcesses()) {
    if (value === layout.stateDir && (await isShim(pid))) found.push(pid);
  }
  return found;
}

async function isShim(pid: number): Promise<boolean> {
  return basename((await programOf(pid)) ?? '').startsWith('containerd-shim');
}

async function killAll(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGKILL');
  const ended = await pollUntil(KILL_TIMEOUT_MS, async () => {
    for (const pid of pids) if (!hasEnded(await statOf(pid))) return undefined;
    return true;
  });
  if (ended) return;
  throw new TentacularError('cluster_error', `Processes left by an earlier cluster do not end: ${pids.join(', ')}`, {
    hint: 'Look at what they wait for: ps -o pid,stat,wchan,cmd -p <pid>',
  });
}
