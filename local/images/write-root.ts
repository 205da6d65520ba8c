import { chmod, copyFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { argv, env, stderr } from 'node:process';
import { imageDefinitions, imageNames } from './definitions.ts';
import { imageLayers } from './files.ts';
import type { ImageFile } from './oci.ts';

/**
 * `node local/images/write-root.ts server /rootfs` writes the files of an image into a folder. The Dockerfiles copy it
 * into an empty image, so that both ways of making an image hold the same files.
 */
const [name, folder] = argv.slice(2);
const known = imageNames.find((candidate) => candidate === name);
if (known === undefined || folder === undefined) {
  stderr.write(`usage: node local/images/write-root.ts <${imageNames.join('|')}> <folder>\n`);
  process.exitCode = 2;
} else {
  const root = resolve(import.meta.dirname, '../..');
  const cacheDir = env.TENTACULAR_CACHE ?? join(root, 'node_modules/.cache/tentacular');
  const layers = await imageLayers(imageDefinitions[known], { root, cacheDir });
  for (const file of layers.flatMap((layer) => layer.files)) await writeImageFile(resolve(folder), file);
}

async function writeImageFile(base: string, file: ImageFile): Promise<void> {
  const path = join(base, file.path);
  await mkdir(file.directory ? path : dirname(path), { recursive: true });
  if (file.symlink !== undefined) {
    await rm(path, { force: true });
    await symlink(file.symlink, path);
    return;
  }
  if (file.sourceFile !== undefined) await copyFile(file.sourceFile, path);
  else if (!file.directory) await writeFile(path, file.content ?? '');
  await chmod(path, file.mode ?? (file.directory ? 0o755 : 0o644));
}
