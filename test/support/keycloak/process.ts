import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lastLines } from '../../../local/run-command.ts';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';

/** Where the process of one home is written down, so that whoever comes later can end it. */
interface Running {
  readonly pid: number;
  readonly port: number;
}

/** Starts the Keycloak of that home on loopback and waits until it answers; on the port that it had before, if any. */
export async function launch(home: string, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const port = (await readRunning(home))?.port ?? (await freePort());
  const log = openSync(join(home, 'keycloak.log'), 'a');
  const args = ['start-dev', '--import-realm', '--cache=local', '--http-host=127.0.0.1', `--http-port=${port}`];
  // The script hands signals on to Java and ends with it. It outlives the worker that started it.
  const child = spawn(join(home, 'bin/kc.sh'), args, {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx320m', ...environment },
  });
  child.unref();
  closeSync(log);
  const { pid } = child;
  if (pid === undefined) throw new Error(`${home}/bin/kc.sh cannot be started`);
  await writeFile(join(home, 'running.json'), JSON.stringify({ pid, port } satisfies Running));
  const url = `http://127.0.0.1:${port}`;
  const answers = async () => {
    if (!(await isRunning(home, pid))) return 'ended';
    return (await fetch(`${url}/realms/master`)).status === 200 ? 'answers' : undefined;
  };
  const state = await eventually('Keycloak answers', answers, { timeoutMs: 300_000 }).catch(async (error: unknown) => {
    await stop(home);
    throw error;
  });
  if (state === 'ended') {
    throw new Error(`Keycloak ended:\n${lastLines(await readFile(join(home, 'keycloak.log'), 'utf8'), 20)}`);
  }
  return url;
}

/** Ends the Keycloak of that home, if it runs: asks, and after 30 s does not ask any more. */
export async function stop(home: string): Promise<void> {
  const running = await readRunning(home);
  if (running === undefined || !(await isRunning(home, running.pid))) return;
  await writeFile(join(home, 'peak-memory'), String(await peakMemory(home)));
  process.kill(running.pid, 'SIGTERM');
  const gone = async () => !(await isRunning(home, running.pid));
  try {
    await eventually('Keycloak ends', gone, { timeoutMs: 30_000, intervalMs: 100 });
  } catch {
    // The script would leave Java behind: the whole group goes.
    process.kill(-running.pid, 'SIGKILL');
    await eventually('Keycloak is killed', gone, { timeoutMs: 10_000, intervalMs: 100 });
  }
}

/** Largest resident memory so far, in bytes; of those that ran in that home before, too. */
export async function peakMemory(home: string): Promise<number> {
  const before = Number(await readFile(join(home, 'peak-memory'), 'utf8').catch(() => '0'));
  const { pid } = (await readRunning(home)) ?? {};
  if (pid === undefined || !(await isRunning(home, pid))) return before;
  const [java = pid] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter(Boolean);
  const status = await readFile(`/proc/${java}/status`, 'utf8');
  return Math.max(before, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024);
}

async function readRunning(home: string): Promise<Running | undefined> {
  try {
    return JSON.parse(await readFile(join(home, 'running.json'), 'utf8')) as Running;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether that pid is (still, and not again) this Keycloak; an ended process that nobody waited for has no arguments. */
async function isRunning(home: string, pid: number): Promise<boolean> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(home);
  } catch {
    return false;
  }
}
