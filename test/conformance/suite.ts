import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { Era } from '../support/mcp.ts';
import { type Check, checksListed, type ExpectedFailures, wireCheck } from './judge.ts';

/** A revision of the protocol that the server claims. */
export type SpecVersion = Era | '2025-06-18';

const require = createRequire(import.meta.url);
const program = join(dirname(require.resolve('@modelcontextprotocol/conformance/package.json')), 'dist/index.js');
/** Longest run of the whole suite over one revision. It takes a few seconds. */
const timeoutMs = 120_000;

/** The names of every scenario for servers that the suite has for a revision; extensions of the protocol are none. */
export async function scenariosOf(version: SpecVersion): Promise<string[]> {
  const { output } = await conformance(['list', '--server', '--spec-version', version]);
  const names = [...output.matchAll(/^ {2}- (\S+) \[/gm)].map(([, name = '']) => name);
  if (names.length === 0) throw new Error(`the conformance suite lists no scenario for ${version}:\n${output}`);
  return names;
}

/** Runs every scenario of a revision against the server, and returns the checks of each by its name. */
export async function runSuite(version: SpecVersion, url: string): Promise<ReadonlyMap<string, readonly Check[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-conformance-'));
  try {
    const args = ['server', '--url', url, '--suite', 'all', '--spec-version', version, '--output-dir', folder];
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

/** How much of a revision passes, in figures. */
export function summaryOf(results: ReadonlyMap<string, readonly Check[]>, expected: ExpectedFailures): string {
  const whole = [...results.keys()].filter((name) => Object.hasOwn(expected, name)).length;
  const partly = [...results.keys()].filter((name) => checksListed(name, expected).size > 0).length;
  const passed = [...results.values()].flat().filter(({ id, status }) => status === 'SUCCESS' && id !== wireCheck);
  const scenarios = `${results.size - whole - partly} of ${results.size} scenarios pass, ${partly} but for listed checks`;
  return `${scenarios}, ${whole} fail as listed; ${passed.length} checks pass`;
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
