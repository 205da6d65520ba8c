import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
/** What the kubelet asks for, where the kernel has it. */
const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids', 'io', 'hugetlb'];
/** Deeper than pods, containers and whatever they make below. */
const MAX_DEPTH = 12;

/** Makes the control group below which the kubelet puts every pod; it refuses to start where it is missing. */
export async function ensureCgroups(instance: string): Promise<void> {
  if (await isUnified()) {
    const available = (await readFile(join(ROOT, 'cgroup.controllers'), 'utf8')).trim().split(' ');
    for (const controller of CONTROLLERS.filter((name) => available.includes(name)))
      await writeFile(join(ROOT, 'cgroup.subtree_control'), `+${controller}`);
  }
  for (const group of await groupsOf(instance)) await mkdir(group, { recursive: true });
}

/** Pids of every process in the instance's group and below: processes of pods, also where no record of them is left. */
export async function cgroupPids(instance: string): Promise<Set<number>> {
  const pids = new Set<number>();
  for (const group of await groupsOf(instance)) {
    for (const folder of await foldersBelow(group)) {
      // A group may vanish while it is read.
      const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (line !== '') pids.add(Number(line));
    }
  }
  return pids;
}

/** Removes the group and those below; one that still has a process stays. */
export async function removeCgroups(instance: string): Promise<void> {
  for (const group of await groupsOf(instance)) {
    for (const folder of (await foldersBelow(group)).reverse()) await rmdir(folder).catch(() => undefined);
  }
}

/** The group in every hierarchy: one with cgroup v2, one a controller with v1, and both where they are mixed. */
async function groupsOf(instance: string): Promise<string[]> {
  return cgroupMounts(await readFile('/proc/self/mounts', 'utf8')).map((mount) => join(mount, instance));
}

/** Mount points of control group hierarchies, from the text of /proc/self/mounts. */
export function cgroupMounts(mounts: string): string[] {
  return mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([_device, point, type]) => (type === 'cgroup' || type === 'cgroup2') && point?.startsWith(ROOT))
    .map(([_device, point = '']) => point);
}

/** A folder and those below it, parents first; empty where it is not there. */
async function foldersBelow(folder: string, depth = 0): Promise<string[]> {
  if (depth > MAX_DEPTH) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => foldersBelow(join(folder, entry.name), depth + 1)),
  );
  return [folder, ...below.flat()];
}

function isUnified(): Promise<boolean> {
  return access(join(ROOT, 'cgroup.controllers')).then(
    () => true,
    () => false,
  );
}
