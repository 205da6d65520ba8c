import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readUserFile } from '../cli/config-file.ts';
import { toolApis } from '../server/api/tools.ts';
import { projectRoot } from './support/source-files.ts';

const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'engine/README.md',
  ...readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];
const read = (page: string) => readFileSync(join(projectRoot, page), 'utf8');

/** As GitHub makes them: lower case, spaces to hyphens, other signs left out. */
function anchorsIn(text: string): string[] {
  const slug = (heading: string) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => slug(heading).replaceAll(' ', '-'));
}

describe.each(pages)('%s', (page) => {
  const text = read(page);

  it('links to files that exist', () => {
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => target);
    const broken = targets.filter((target) => !existsSync(join(projectRoot, dirname(page), target)));
    expect(broken).toEqual([]);
  });

  it('links to headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)/g)];
    const broken = links.filter(([, target = '', anchor = '']) => {
      const place = target === '' ? page : join(dirname(page), target);
      return place.endsWith('.md') && !anchorsIn(read(place)).includes(anchor);
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it('names variables that something reads', () => {
    const sources = ['server/config.ts', 'server/oidc-config.ts', 'charts/tentacular-platform/files/realm.json'];
    const known = [...sources, 'CONTRIBUTING.md', 'cli/config.ts'].map(read).join('');
    const named = [...text.matchAll(/\bTENTACULAR_[A-Z_]*[A-Z]/g)].map(([name]) => name);
    expect(named.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
    const named = [...text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe('docs/authentication.md', () => {
  interface Values {
    readonly exoskeletonAuth: object;
  }
  const values = parse(read('charts/tentacular-mcp/values.yaml')) as Values;

  it('sets values that the chart has', () => {
    const [, block = ''] = /```yaml\n(externalURL:[\s\S]*?)```/.exec(read('docs/authentication.md')) ?? [];
    const given = parse(block) as Values;
    expect(Object.keys(values)).toEqual(expect.arrayContaining(Object.keys(given)));
    expect(Object.keys(values.exoskeletonAuth)).toEqual(expect.arrayContaining(Object.keys(given.exoskeletonAuth)));
  });

  it('shows a configuration that tntc takes, with what stands in comments too', async () => {
    const home = mkdtempSync(join(tmpdir(), 'tentacular-docs-'));
    try {
      const [, block = ''] = /```yaml\n(default_env:[\s\S]*?)```/.exec(read('docs/authentication.md')) ?? [];
      const path = join(home, 'config.yaml');
      writeFileSync(path, block.replaceAll(/# (\w+: \S+).*/g, '$1'));
      const { default_env, environments } = await readUserFile(path);
      expect(default_env && Object.keys(environments[default_env] ?? {})).toHaveLength(5);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it('explains every value of exoskeletonAuth', () => {
    const missing = Object.keys(values.exoskeletonAuth).filter(
      (key) => key !== 'enabled' && key !== 'clientId' && !read('docs/authentication.md').includes(`| \`${key}\` |`),
    );
    expect(missing).toEqual([]);
  });
});

describe('README.md', () => {
  it('lists every tool of the server', () => {
    const missing = Object.keys(toolApis).filter((tool) => !read('README.md').includes(`\`${tool}\``));
    expect(missing).toEqual([]);
  });

  it('shows the example as it is', () => {
    const workflow = read('examples/enclaves/examples-data/digest/workflow.yaml');
    for (const [, node, path] of read('README.md').matchAll(/^ {2}([a-z-]+): +\{ path: ([\w./-]+)/gm)) {
      expect(workflow).toMatch(new RegExp(`${node}:\\n    path: ${path}`));
    }
  });

  it('shows a permission that the golden of that example can show', () => {
    const golden = read('snapshots/examples/examples-data/digest.k8s.yaml');
    const block = /```diff\n([\s\S]*?)```/.exec(read('README.md'))?.[1] ?? '';
    const context = block.split('\n').filter((line) => line.startsWith('  '));
    expect(context.length).toBeGreaterThan(2);
    for (const line of context) expect(golden).toContain(line.slice(1));
  });
});
