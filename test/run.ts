import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * The one test command. `--check`: what needs no cluster; without it, the real cluster too.
 * Runs every step even when one fails, and ends with the line `N passed, N failed`, in which
 * each static step counts as one.
 */
const root = resolve(import.meta.dirname, '..');
const checkOnly = process.argv.includes('--check');
const results = mkdtempSync(join(tmpdir(), 'tentacular-test-'));

interface Totals {
  passed: number;
  failed: number;
}
const totals: Totals = { passed: 0, failed: 0 };
const failures: string[] = [];

function run(command: string, args: readonly string[]): boolean {
  process.stdout.write(`\n> ${command} ${args.join(' ')}\n`);
  const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH ?? ''}`;
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } });
  return result.status === 0;
}

function staticStep(name: string, command: string, args: readonly string[]): void {
  if (run(command, args)) totals.passed += 1;
  else {
    totals.failed += 1;
    failures.push(name);
  }
}

/** vitest's own counts; a run that dies before it has any, or that ran nothing, is a failure. */
function vitest(project: string): void {
  const report = join(results, `${project}.json`);
  const ok = run('vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  const counts = readCounts(report);
  totals.passed += counts.passed;
  totals.failed += counts.failed;
  if (counts.failed > 0) failures.push(`vitest ${project}`);
  else if (!ok || counts.passed === 0) {
    totals.failed += 1;
    failures.push(`vitest ${project} (ended without a complete result)`);
  }
}

function readCounts(report: string): Totals {
  try {
    const parsed = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests?: number; numFailedTests?: number };
    return { passed: parsed.numPassedTests ?? 0, failed: parsed.numFailedTests ?? 0 };
  } catch (error) {
    process.stderr.write(
      `no result of vitest at ${report}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return { passed: 0, failed: 0 };
  }
}

staticStep('format and lint', 'biome', ['check', '.']);
staticStep('types', 'tsc', ['-p', '.']);
staticStep('unused code', 'knip', []);
vitest('unit');
if (!checkOnly) {
  vitest('keycloak');
  vitest('cluster');
  vitest('disruptive');
}
rmSync(results, { recursive: true, force: true });

if (failures.length > 0) process.stdout.write(`\nfailed: ${failures.join(', ')}\n`);
process.stdout.write(`\n${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = totals.failed === 0 ? 0 : 1;
