import { spawn } from 'node:child_process';
import { TentacularError } from '../constructs/model/errors.ts';

const DEFAULT_TIMEOUT_MS = 60_000;
/** Enough for every list that we parse; output beyond it is a fault, not something to cut silently. */
const MAX_OUTPUT_BYTES = 16 << 20;

export interface RunOptions {
  readonly cwd?: string;
  /** Replaces the environment. Default: this process's. */
  readonly env?: NodeJS.ProcessEnv;
  /** Written to the command's standard input. */
  readonly input?: string;
  /** Default 60 s; the command is killed when it is over. */
  readonly timeoutMs?: number;
  /** Called with each line of standard error as it comes. */
  readonly onStderrLine?: (line: string) => void;
  /** Called with each line of standard output as it comes. */
  readonly onStdoutLine?: (line: string) => void;
  /** What to do when it fails. Default: look at the output in the message. */
  readonly hint?: string;
}

/**
 * Runs a program without a shell and gives its standard output.
 * @throws TentacularError `cluster_error` (failed), `timeout`, `unavailable` (not found), with the last lines it printed.
 */
export async function runCommand(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stdout = collect(child.stdout, options.onStdoutLine);
  const stderr = collect(child.stderr, options.onStderrLine);
  // A command that ends without reading its input breaks the pipe; its exit code tells what there is to tell.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  const started = Date.now();
  const outcome = await new Promise<{ code: number | null } | { error: NodeJS.ErrnoException }>((resolve) => {
    child.on('error', (error) => resolve({ error }));
    child.on('close', (code) => resolve({ code }));
  });
  if ('code' in outcome && outcome.code === 0) return stdout.text();
  const command = [file, ...args].join(' ').slice(0, 300);
  const hint = options.hint ?? 'The last lines of its output say what it could not do.';
  if ('error' in outcome) {
    const code = outcome.error.code === 'ENOENT' ? 'unavailable' : 'cluster_error';
    throw new TentacularError(code, `${command}: ${outcome.error.message}`, { hint, cause: outcome.error });
  }
  const output = lastLines(`${stdout.text()}\n${stderr.text()}`, 15);
  if (outcome.code === null && Date.now() - started >= timeoutMs) {
    throw new TentacularError('timeout', `${command} did not end within ${timeoutMs / 1000} s\n${output}`, { hint });
  }
  throw new TentacularError('cluster_error', `${command} failed (exit code ${outcome.code})\n${output}`, { hint });
}

/** The last lines of a text that say something. */
export function lastLines(text: string, count: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}

function collect(stream: NodeJS.ReadableStream, onLine?: (line: string) => void) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= MAX_OUTPUT_BYTES) chunks.push(chunk);
    if (!onLine) return;
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    lines.forEach(onLine);
  });
  return {
    text(): string {
      if (bytes > MAX_OUTPUT_BYTES) throw new Error(`output is larger than ${MAX_OUTPUT_BYTES} bytes`);
      return Buffer.concat(chunks).toString('utf8');
    },
  };
}
