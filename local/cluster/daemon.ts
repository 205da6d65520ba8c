import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { lastLines } from '../run-command.ts';
import type { Layout } from './layout.ts';
import { hasEnded, identify, isAlive, MARKER_VARIABLE, type ProcessIdentity, signal, statOf } from './proc.ts';
import { pollUntil } from './wait.ts';

/** A log that is larger is moved to `.1` when its program is started. */
const MAX_LOG_BYTES = 8 << 20;
const STOP_TIMEOUT_MS = 10_000;
const KILL_TIMEOUT_MS = 30_000;

/** A program that runs on after the process that started it. */
export interface Daemon {
  readonly name: string;
  /** Absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Files whose content it reads at its start: it is restarted when they change. */
  readonly configFiles?: readonly string[];
  /** Asks the program itself whether it is ready; throws or gives false where it is not (yet). */
  readonly ready: () => Promise<boolean>;
  readonly readyTimeoutMs?: number;
}

/** What is written down about a daemon that was started. */
export interface DaemonRecord {
  readonly name: string;
  readonly identity: ProcessIdentity;
  /** Over command, arguments, environment and configuration. */
  readonly fingerprint: string;
}

export type StartOutcome = 'running' | 'started' | 'restarted';

/**
 * Starts a daemon unless this very one runs already, detached and with its output in a log file.
 * One that runs with other arguments is restarted.
 */
export async function ensureStarted(daemon: Daemon, layout: Layout): Promise<StartOutcome> {
  const fingerprint = await fingerprintOf(daemon);
  const record = await readRecord(layout, daemon.name);
  const alive = record !== undefined && (await isAlive(record.identity));
  if (alive && record.fingerprint === fingerprint) return 'running';
  if (alive) await stop(record);
  await start(daemon, fingerprint, layout);
  return alive ? 'restarted' : 'started';
}

/** @throws TentacularError `cluster_error` with its last log lines where it has ended, `timeout` where it takes too long. */
export async function waitUntilReady(daemon: Daemon, layout: Layout): Promise<void> {
  const timeoutMs = daemon.readyTimeoutMs ?? 60_000;
  const outcome = await pollUntil(timeoutMs, async () => {
    const record = await readRecord(layout, daemon.name);
    if (record === undefined || !(await isAlive(record.identity))) return 'ended';
    return (await daemon.ready().catch(() => false)) ? 'ready' : undefined;
  });
  if (outcome === 'ready') return;
  const log = logPath(layout, daemon.name);
  const tail = lastLines(await readTail(log), 12);
  const what = outcome === 'ended' ? 'ended right after its start' : `was not ready within ${timeoutMs / 1000} s`;
  throw new TentacularError(outcome === 'ended' ? 'cluster_error' : 'timeout', `${daemon.name} ${what}:\n${tail}`, {
    hint: `Its whole log is ${log}. \`npm run cluster -- reset\` followed by \`npm run cluster -- up\` starts from nothing.`,
  });
}

/** Ends exactly the recorded run of the program: TERM, and KILL after 10 s. Another process with that pid is left alone. */
export async function stop(record: DaemonRecord): Promise<void> {
  if (!(await isAlive(record.identity))) return;
  const { pid } = record.identity;
  signal(pid, 'SIGTERM');
  if (await pollUntil(STOP_TIMEOUT_MS, async () => ((await isAlive(record.identity)) ? undefined : true))) return;
  signal(pid, 'SIGKILL');
  if (await pollUntil(KILL_TIMEOUT_MS, async () => (hasEnded(await statOf(pid)) ? true : undefined))) return;
  throw new TentacularError('cluster_error', `${record.name} (pid ${pid}) does not end, not even on SIGKILL`, {
    hint: `Look at what it waits for: cat /proc/${pid}/stack`,
  });
}

export async function readRecord(layout: Layout, name: string): Promise<DaemonRecord | undefined> {
  const text = await readFile(join(layout.pids, `${name}.json`), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const record: unknown = JSON.parse(text);
    return isRecord(record) ? record : undefined;
  } catch {
    // Torn by a crash: the process that it described is found by its marker.
    return undefined;
  }
}

export async function readRecords(layout: Layout): Promise<DaemonRecord[]> {
  const names = await readdir(layout.pids).catch(() => []);
  const records = await Promise.all(
    names.filter((name) => name.endsWith('.json')).map((name) => readRecord(layout, basename(name, '.json'))),
  );
  return records.filter((record) => record !== undefined);
}

export async function removeRecord(layout: Layout, name: string): Promise<void> {
  await rm(join(layout.pids, `${name}.json`), { force: true });
}

async function start(daemon: Daemon, fingerprint: string, layout: Layout): Promise<void> {
  await mkdir(layout.log, { recursive: true });
  await mkdir(layout.pids, { recursive: true });
  const path = logPath(layout, daemon.name);
  const size = await stat(path).then(
    (info) => info.size,
    () => 0,
  );
  if (size > MAX_LOG_BYTES) await rename(path, `${path}.1`);
  const log = await open(path, 'a', 0o640);
  try {
    const child = spawn(daemon.command, daemon.args, {
      cwd: '/',
      // Its own session: neither the terminal's signals nor the end of this process reach it.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { PATH: searchPath(), HOME: '/root', ...daemon.env, [MARKER_VARIABLE]: layout.stateDir },
    });
    const failure = await new Promise<Error | undefined>((resolve) => {
      child.once('spawn', () => resolve(undefined));
      child.once('error', resolve);
    });
    if (failure || child.pid === undefined) {
      throw new TentacularError('cluster_error', `${daemon.name} cannot be started: ${failure?.message}`, {
        hint: `Check that ${daemon.command} exists and is a program for this machine.`,
        cause: failure,
      });
    }
    child.unref();
    const identity = await identify(child.pid);
    if (identity === undefined) return;
    const record: DaemonRecord = { name: daemon.name, identity, fingerprint };
    const target = join(layout.pids, `${daemon.name}.json`);
    await writeFile(`${target}.part`, JSON.stringify(record));
    await rename(`${target}.part`, target);
  } finally {
    await log.close();
  }
}

async function fingerprintOf(daemon: Daemon): Promise<string> {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([daemon.command, daemon.args, daemon.env ?? {}]));
  for (const file of daemon.configFiles ?? []) hash.update(await readFile(file));
  return hash.digest('hex');
}

function logPath(layout: Layout, name: string): string {
  return join(layout.log, `${name}.log`);
}

/** The person's PATH, completed: system programs lie in sbin, which is not in everybody's. */
function searchPath(): string {
  return `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
}

async function readTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(-20_000);
}

function isRecord(value: unknown): value is DaemonRecord {
  if (typeof value !== 'object' || value === null) return false;
  if (!('name' in value && 'identity' in value && 'fingerprint' in value)) return false;
  const { identity } = value;
  return (
    typeof identity === 'object' &&
    identity !== null &&
    'pid' in identity &&
    'startTicks' in identity &&
    'bootId' in identity &&
    'program' in identity
  );
}
