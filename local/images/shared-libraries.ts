import { TentacularError } from '../../constructs/model/errors.ts';
import { runCommand } from '../run-command.ts';
import type { ImageFile } from './oci.ts';

/**
 * The shared libraries and the loader of a dynamic binary, each at the path where its loader looks for it.
 * Asks `ldd`, which is part of glibc.
 * @throws TentacularError `unavailable` where ldd is missing or a library is not found.
 */
export async function sharedLibraries(binary: string): Promise<ImageFile[]> {
  const output = await runCommand('ldd', [binary], {
    timeoutMs: 30_000,
    hint: 'Images are made on Linux with glibc: `apt-get install libc-bin`; elsewhere use the Dockerfiles in local/images.',
  });
  return parseLdd(output, binary).map((path) => ({ path, sourceFile: path, mode: 0o755 }));
}

/** Absolute paths in what `ldd` prints, sorted; the kernel's own vdso is no file. */
export function parseLdd(output: string, binary: string): string[] {
  const missing = [...output.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]);
  if (missing.length > 0) {
    throw new TentacularError('unavailable', `Image: ${binary} needs ${missing.join(', ')}, which ldd does not find`, {
      hint: 'Install the packages that hold these libraries; `apt-file search <name>` names them.',
    });
  }
  const paths = [...output.matchAll(/(?:=> )?(\/\S+) \(0x[0-9a-f]+\)/g)].flatMap((match) => match[1] ?? []);
  return [...new Set(paths)].sort();
}
