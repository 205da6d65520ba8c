import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { Check } from './judge.ts';

const require = createRequire(import.meta.url);
const program = join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js');
/** Longest run of the program. It takes a few seconds. */
const timeoutMs = 120_000;

/** The checks of each scenario, by its name. */
export type Results = ReadonlyMap<string, readonly Check[]>;

export interface RunOptions {
  /** Given everything written so far, whenever there is more. */
  readonly onOutput?: (output: string) => void;
  /** Ends the run, with its reason. */
  readonly signal?: AbortSignal;
}

/**
 * Runs the program of the suite to its end and returns what it wrote. It ends with 1 where a scenario fails; what that
 * means is judged from its results.
 */
export function conformance(args: readonly string[], { onOutput, signal }: RunOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { timeout: timeoutMs, ...(signal ? { signal } : {}) });
    let output = '';
    const take = (chunk: string) => {
      output += chunk;
      onOutput?.(output);
    };
    child.stdout.setEncoding('utf8').on('data', take);
    child.stderr.setEncoding('utf8').on('data', take);
    child.on('error', (error) => reject(signal?.reason ?? error));
    child.on('close', (code, signal) => {
      if (code === 0 || code === 1) resolve(output);
      else reject(new Error(`the conformance suite ended with ${code ?? signal}:\n${output}`));
    });
  });
}

/**
 * Runs scenarios and reads what each of them found.
 * @param kind What the program puts before their names.
 */
export async function resultsOf(
  kind: 'server' | 'authorization-server',
  args: readonly string[],
  options: RunOptions = {},
): Promise<Results> {
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-conformance-'));
  try {
    const output = await conformance([...args, '--output-dir', folder], options);
    const results = new Map<string, readonly Check[]>();
    for (const name of await readdir(folder)) {
      const scenario = /^(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(name)?.[1];
      if (!scenario?.startsWith(`${kind}-`)) throw new Error(`the conformance suite wrote ${name}, which is no result`);
      const checks = parseChecks(await readFile(join(folder, name, 'checks.json'), 'utf8'));
      results.set(scenario.slice(kind.length + 1), checks);
    }
    if (results.size === 0) throw new Error(`the conformance suite left no result:\n${output}`);
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function parseChecks(text: string): Check[] {
  const checks: unknown = JSON.parse(text);
  if (!Array.isArray(checks) || !checks.every(isCheck)) throw new Error(`no checks of the conformance suite: ${text}`);
  return checks;
}

const statuses: readonly unknown[] = ['SUCCESS', 'FAILURE', 'WARNING', 'SKIPPED', 'INFO'];

function isCheck(value: unknown): value is Check {
  return isJsonObject(value) && typeof value.id === 'string' && statuses.includes(value.status);
}
