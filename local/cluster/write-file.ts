import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file only where its content differs: kube-proxy ends when its configuration is written, even with what it
 * held before. Atomic, so that a killed run leaves no half file. Gives whether it was written.
 */
export async function writeIfChanged(path: string, content: string, mode = 0o644): Promise<boolean> {
  const current = await readFile(path, 'utf8').catch(() => undefined);
  if (current === content) return false;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, content, { mode });
  await rename(`${path}.part`, path);
  return true;
}
