import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectRoot } from '../support/source-files.ts';

describe('tntc as a process', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'tentacular-cli-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  function tntc(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return ending(process.execPath, [join(projectRoot, 'cli/main.ts'), ...args], env);
  }
  function ending(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      const options = { cwd: home, env: { PATH: process.env.PATH, HOME: home, ...env } };
      execFile(command, args, options, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
    });
  }

  // It is to be there in 150 ms; what a command needs takes longer to load than that.
  it('shows its help without loading what commands need', async () => {
    const { code, stdout, stderr } = await tntc(['--help'], { NODE_V8_COVERAGE: join(home, 'loaded') });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('whoami');
    const [report = ''] = readdirSync(join(home, 'loaded'));
    const urls = readFileSync(join(home, 'loaded', report), 'utf8').match(/file:\/\/[^"]+/g) ?? [];
    const packages = urls.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter(Boolean);
    expect([...new Set(packages)]).toEqual(['commander']);
  });

  it.each([[['login', '--help']], [['whoami', '-h']], [['help', 'logout']]])(
    '%j tells of the options of every command too',
    async (command) => {
      const { code, stdout } = await tntc(command);
      expect(code).toBe(0);
      expect(stdout).toMatch(/--env <name>[\s\S]*--output <format>/);
    },
  );

  it('knows what was meant by a word with a slip of the pen', async () => {
    expect(await tntc(['whoam'])).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean whoami?') });
    const option = await tntc(['whoami', '--admi']);
    expect(option).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean --admin?') });
  });

  it.each(['NO_COLOR', 'FORCE_COLOR'])('has no colours, with %s as without', async (variable) => {
    const shown = [await tntc(['--help'], { [variable]: '1' }), await tntc(['nonsense'], { [variable]: '1' })];
    expect(JSON.stringify(shown)).not.toContain('\\u001b');
  });

  it.each([
    [['nonsense'], 2],
    [['whoami', '--nonsense'], 2],
    [['whoami', 'nonsense'], 2],
    [['help', 'nonsense'], 2],
    [['whoami', '-o', 'xml'], 2],
    [['whoami'], 2],
    [[], 2],
  ])('%j is usage: told on standard error, ends with %i, and leaves standard output to data', async (args, code) => {
    const shown = await tntc(args);
    expect(shown).toMatchObject({ code, stdout: '' });
    expect(shown.stderr).not.toMatch(/^\s+at /m);
  });

  it('ends in silence where nobody reads to the end', async () => {
    const child = spawn(process.execPath, [join(projectRoot, 'cli/main.ts'), '--help'], { env: { HOME: home } });
    child.stdout.destroy();
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += String(chunk);
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, told }).toEqual({ code: 0, told: '' });
  });

  it('says in a line that its output cannot be written, as on a disk that is full', async () => {
    const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" "$1" --help > out`;
    const args = ['-c', limited, process.execPath, join(projectRoot, 'cli/main.ts')];
    const { code, stderr } = await ending('sh', args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^tntc failed: the output cannot be written: EFBIG.*\n$/);
  });

  it('a server that is not there is told on standard error, in a line that says why', async () => {
    const shown = await tntc(['whoami'], { TNTC_MCP_ENDPOINT: 'http://127.0.0.1:1/mcp', TNTC_MCP_TOKEN: 'x' });
    expect(shown).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('does not answer') });
  });
});
