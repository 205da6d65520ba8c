import { readdir, readFile, readlink } from 'node:fs/promises';

/** Every process that the cluster starts, and whatever inherits its environment (containerd's shims), carries this. */
export const MARKER_VARIABLE = 'TENTACULAR_CLUSTER_OF';

/** File names of the programs that a cluster consists of; what else carries the marker are helpers of theirs. */
export const daemonPrograms: ReadonlySet<string> = new Set([
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'containerd',
  'kubelet',
  'kube-proxy',
  'calico-felix',
]);

/** What identifies one run of a process: a pid alone is used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot (field 22 of /proc/PID/stat, proc(5)). */
  readonly startTicks: number;
  readonly bootId: string;
  /** What /proc/PID/exe points to. */
  readonly program: string;
}

export interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  readonly startTicks: number;
}

/** Parses /proc/PID/stat; the name in parentheses may itself hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const [state, parent] = fields;
  const startTicks = fields[19];
  if (state === undefined || parent === undefined || startTicks === undefined) return undefined;
  return { state, parent: Number(parent), startTicks: Number(startTicks) };
}

/** `undefined` where there is no such process. */
export async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const text = await readProc(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** A zombie has ended; it only waits to be collected, and `kill -0` succeeds on it. */
export function hasEnded(stat: ProcessStat | undefined): boolean {
  return stat === undefined || stat.state === 'Z' || stat.state === 'X';
}

/** Whether exactly this run of the process is alive: same boot, same start, same program, not a zombie. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  if (identity.bootId !== (await bootId())) return false;
  const stat = await statOf(identity.pid);
  if (hasEnded(stat) || stat?.startTicks !== identity.startTicks) return false;
  return (await programOf(identity.pid)) === identity.program;
}

/** `undefined` where the process has ended meanwhile. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await statOf(pid);
  const program = await programOf(pid);
  if (stat === undefined || hasEnded(stat) || program === undefined) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: await bootId(), program };
}

/** Path of the program's file; a file that was replaced meanwhile still counts as the same program. */
export async function programOf(pid: number): Promise<string | undefined> {
  const link = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
  return link?.replace(/ \(deleted\)$/, '');
}

/** Pids of live processes whose environment carries the marker, with its value. Needs root. */
export async function markedProcesses(): Promise<{ pid: number; value: string }[]> {
  const found: { pid: number; value: string }[] = [];
  const prefix = `${MARKER_VARIABLE}=`;
  for (const pid of await allPids()) {
    const environment = await readProc(`/proc/${pid}/environ`);
    const entry = environment?.split('\0').find((line) => line.startsWith(prefix));
    if (entry === undefined || hasEnded(await statOf(pid))) continue;
    found.push({ pid, value: entry.slice(prefix.length) });
  }
  return found;
}

async function allPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** Sends a signal; a process that has ended meanwhile is no error. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Files of /proc vanish with their process (ENOENT, ESRCH). */
async function readProc(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
