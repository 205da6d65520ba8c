import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes all but the `count` newest files of a folder that end in `suffix`, each with its `.json` beside it. */
export async function keepNewest(folder: string, suffix: string, count: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const files = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), timeMs: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = files.sort((a, b) => b.timeMs - a.timeMs).slice(count);
  for (const { path } of old) {
    await rm(path, { force: true });
    await rm(`${path}.json`, { force: true });
  }
}
