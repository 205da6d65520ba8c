import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
