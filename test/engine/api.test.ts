import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

/** A type checker is slow where the machine is busy. */
const checkDeadlineMs = 90_000;

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'api-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What Deno's type checker says about a node; empty if nothing. */
function check(source: string): Promise<string> {
  writeFileSync(join(folder, 'node.ts'), source);
  writeFileSync(join(folder, 'map.json'), JSON.stringify({ imports: { tentacular: join(root, 'engine/api.ts') } }));
  const args = ['check', '--quiet', '--no-config', `--import-map=${join(folder, 'map.json')}`, join(folder, 'node.ts')];
  return new Promise((resolve) => {
    execFile(
      join(root, 'node_modules/.bin/deno'),
      args,
      { cwd: folder, env: { DENO_DIR: join(folder, 'deno'), NO_COLOR: '1', HOME: folder } },
      (error, _stdout, stderr) => resolve(error === null ? '' : stderr),
    );
  });
}

it(
  'the example of the documentation and the typed form both pass the type checker of Deno',
  async () => {
    const source = `
    import type { Context, NodeFunction } from 'tentacular';
    export default async function (ctx: Context, input: { city?: string }) {
      const weather = ctx.dependency('weather');
      const answer = await weather.fetch?.(\`/v1/now?city=\${input.city ?? 'Wien'}\`);
      ctx.log.info('asked', { node: ctx.node, attempt: ctx.attempt, trigger: ctx.trigger.type });
      return { temperature: (await answer?.json()).celsius };
    }
    export const typed: NodeFunction<{ readonly n: number }, number> = (_ctx, { n }) => n + 1;
  `;
    expect(await check(source)).toBe('');
  },
  checkDeadlineMs,
);

it(
  'a typo in the API is found before the node runs',
  async () => {
    const source = `
    import type { Context } from 'tentacular';
    export default (ctx: Context) => ctx.dependencies('weather');
  `;
    expect(await check(source)).toContain("Property 'dependencies' does not exist on type 'Context'");
  },
  checkDeadlineMs,
);

it.each(['nodenext', 'bundler'])(
  'the editor of somebody who installed the package finds the types, with module resolution %s',
  async (moduleResolution) => {
    const project = mkdtempSync(join(folder, 'editor-'));
    mkdirSync(join(project, 'node_modules'));
    symlinkSync(root, join(project, 'node_modules/tentacular'));
    const compilerOptions = {
      target: 'es2024',
      module: moduleResolution === 'bundler' ? 'esnext' : 'nodenext',
      moduleResolution,
      lib: ['es2024', 'dom'],
      types: [],
      strict: true,
      noEmit: true,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['node.ts'] }));
    writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    writeFileSync(
      join(project, 'node.ts'),
      "import type { Context } from 'tentacular';\nexport default (ctx: Context) => ctx.dependencies('weather');\n",
    );
    const said = await new Promise<string>((resolve) => {
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      execFile(process.execPath, [tsc, '-p', project], (_error, stdout) => resolve(stdout));
    });
    // The typo, and nothing about a module that cannot be found.
    expect(said.trim().split('\n')).toEqual([expect.stringContaining("Property 'dependencies' does not exist")]);
  },
  checkDeadlineMs,
);
