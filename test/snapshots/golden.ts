import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { expect } from 'vitest';
import { projectRoot } from '../support/source-files.ts';

const root = join(projectRoot, 'snapshots');

/** `UPDATE_SNAPSHOTS=1 npx vitest run --project unit test/snapshots` writes what is rendered, and drops what is stale. */
export const updating = process.env.UPDATE_SNAPSHOTS === '1';

/** Compares a text with snapshots/<path>; a difference fails with a unified diff. */
export function expectGolden(path: string, text: string): void {
  const file = join(root, path);
  if (updating) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  const known = readGolden(path);
  if (known === text) return;
  const reason = known === undefined ? 'has no snapshot yet' : 'renders to something else than its snapshot';
  expect.fail(
    `${path} ${reason}. If that is meant: npm run snapshots, and review it.\n\n${goldenDiff(path, known ?? '', text)}`,
  );
}

/** What changes from a snapshot to a new text, as a reviewer reads it. */
export function goldenDiff(path: string, before: string, after: string): string {
  return createTwoFilesPatch(`snapshots/${path}`, 'rendered', before, after, undefined, undefined, { context: 6 });
}

/** The snapshot's text, or undefined if there is none. */
export function readGolden(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Fails for files in snapshots/<folder> that no case stands behind. */
export function expectNoStaleGoldens(folder: string, expected: readonly string[]): void {
  const found = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(root, folder).length + 1));
  const stale = found.filter((path) => !expected.includes(path));
  if (updating) for (const path of stale) rmSync(join(root, folder, path));
  else expect(stale, `snapshots/${folder} holds files without a case`).toEqual([]);
}
