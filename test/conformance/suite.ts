import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { Era } from '../support/mcp.ts';
import type { Check } from './judge.ts';

const require = createRequire(import.meta.url);
const program = join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js');
/** Longest run of the whole suite over one era. It takes a few seconds. */
const timeoutMs = 120_000;

/** The names of every scenario for servers that the suite has for this era; extensions of the protocol are none. */
export async function scenariosOf(era: Era): Promise<string[]> {
  const { output } = await conformance(['list', '--server', '--spec-version', era]);
  const names = [...output.matchAll(/^ {2}- (\S+) \[/gm)].map(([, name = '']) => name);
  if (names.length === 0) throw new Error(`the conformance suite lists no scenario for ${era}:\n${output}`);
  return names;
}

/** Runs every scenario of this era against the server, and returns the checks of each by its name. */
export async function runSuite(era: Era, url: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-conformance-'));
  try {
    const args = ['server', '--url', url, '--suite', 'all', '--spec-version', era, '--output-dir', folder];
    const { output } = await conformance(args);
    const results = new Map<string, readonly Check[]>();
    for (const name of await readdir(folder)) {
      const scenario = /^server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z$/.exec(name)?.[1];
      if (scenario === undefined) throw new Error(`the conformance suite wrote ${name}, which is no result`);
      results.set(scenario, parseChecks(await readFile(join(folder, name, 'checks.json'), 'utf8')));
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

/** The program ends with 1 where a scenario fails; what that means is judged from what it wrote. */
function conformance(args: readonly string[]): Promise<{ readonly output: string }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 };
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) => {
      if (error !== null && error.code !== 1) reject(error);
      else resolve({ output: `${stdout}${stderr}` });
    });
  });
}
