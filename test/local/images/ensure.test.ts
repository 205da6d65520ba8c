import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ensureImage } from '../../../local/images/ensure.ts';

describe('making images', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tentacular-images-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** A project with an engine of one line, so that only the image's making is looked at. */
  function project(name: string, engine: string): string {
    const root = join(folder, name);
    mkdirSync(join(root, 'engine'), { recursive: true });
    writeFileSync(join(root, 'package.json'), '{"version": "1.2.3"}');
    writeFileSync(join(root, 'engine/main.ts'), engine);
    return root;
  }
  const one = project('one', 'const n: number = 1;\nconsole.log(n);\n');

  it('equal input gives an equal name and digest, in whatever folders', async () => {
    const a = await ensureImage('engine', join(folder, 'cache-a'), { root: one });
    const copy = project('copy', 'const n: number = 1;\nconsole.log(n);\n');
    const b = await ensureImage('engine', join(folder, 'cache-b'), { root: copy });
    expect(a.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect({ ...b, tar: '' }).toEqual({ ...a, tar: '' });
    expect(a.ref).toMatch(/^localhost\/tentacular-engine:1\.2\.3-[0-9a-f]{12}$/);
    rmSync(join(folder, 'cache-b'), { recursive: true });
  });

  it('nothing is made again where nothing has changed', async () => {
    const made: string[] = [];
    const options = { root: one, onBuild: (name: string) => made.push(name) };
    await ensureImage('engine', join(folder, 'cache-a'), options);
    expect(made).toEqual([]);
  });

  // Harm: a start beside another one fails, because the other one tidies up.
  it('by several at once is done by one, and the others wait for it', async () => {
    const made: string[] = [];
    const options = { root: project('beside', 'console.log("beside");\n'), onBuild: (name: string) => made.push(name) };
    const wanted = Array.from({ length: 3 }, () => ensureImage('engine', join(folder, 'cache-beside'), options));
    expect(new Set((await Promise.all(wanted)).map(({ digest }) => digest)).size).toBe(1);
    expect(made).toEqual(['engine']);
  });

  it('another source is another name, and old archives go', async () => {
    const first = await ensureImage('engine', join(folder, 'cache-a'), { root: one });
    const refs = new Set([first.ref]);
    for (const n of [2, 3]) {
      const root = project(`v${n}`, `console.log(${n});\n`);
      refs.add((await ensureImage('engine', join(folder, 'cache-a'), { root })).ref);
    }
    expect(refs.size).toBe(3);
    expect(existsSync(first.tar)).toBe(false);
    const tars = readdirSync(join(folder, 'cache-a/images/engine')).filter((name) => name.endsWith('.tar'));
    expect(tars).toHaveLength(2);
  });

  it('a source that does not compile is an error that names the line', async () => {
    const root = project('broken', 'const = 1;\n');
    await expect(ensureImage('engine', join(folder, 'cache-a'), { root })).rejects.toThrow(/engine\/main\.ts:1/);
  });
});
