import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { buildFromFolder } from '../binaries/go-build.ts';
import { bundleProgram } from './bundle.ts';
import type { ImageDefinition } from './definitions.ts';
import type { ImageLayer } from './oci.ts';
import { keepNewest } from './prune.ts';
import { sharedLibraries } from './shared-libraries.ts';
import { stripElf } from './strip.ts';
import { systemFiles } from './system-files.ts';

export interface ImageInputs {
  /** The project's root. */
  readonly root: string;
  /** Folder for what costs time to make: stripped runtimes, Go's build cache. */
  readonly cacheDir: string;
}

/** Binaries of one folder of the cache that are kept: two runtimes, each with the one before it. */
const keptBinaries = 4;

/**
 * The files of an image: below what seldom changes (system files, runtime, libraries), above the program itself,
 * so that a new build of the program leaves the large layer alone.
 */
export async function imageLayers(definition: ImageDefinition, inputs: ImageInputs): Promise<ImageLayer[]> {
  const { program } = definition;
  if (program.kind === 'go') {
    const binary = await goBinary(join(inputs.root, program.source), inputs.cacheDir);
    return [{ files: [...systemFiles(), { path: program.target, sourceFile: binary, mode: 0o755 }] }];
  }
  const runtime = await runtimeBinary(program.runtime);
  const [libraries, stripped, bundle] = await Promise.all([
    sharedLibraries(runtime),
    strippedBinary(runtime, inputs.cacheDir),
    bundleProgram(inputs.root, program.entry, program.runtime),
  ]);
  const binary = { path: `/usr/local/bin/${program.runtime}`, sourceFile: stripped, mode: 0o755 };
  return [
    { files: [...systemFiles(), ...libraries, binary] },
    { files: [{ path: program.target, content: bundle.text }] },
  ];
}

/**
 * The program of a folder with `go.mod` and `main.go`, kept in the cache under the hash of the two.
 * @throws TentacularError as `buildFromFolder`.
 */
export async function goBinary(folder: string, cacheDir: string): Promise<string> {
  const digests = await Promise.all(['go.mod', 'main.go'].map((name) => fileDigest(join(folder, name))));
  const key = createHash('sha256').update(digests.join(' ')).digest('hex');
  return cached(join(cacheDir, 'images', 'go'), key, (output) =>
    buildFromFolder(folder, output, { cacheDir, env: process.env }),
  );
}

/** sha256 (hex) of a file's bytes. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

/** The runtime binaries come from npm packages of this project, so that image and checkout run the same version. */
async function runtimeBinary(runtime: 'node' | 'deno'): Promise<string> {
  const require = createRequire(import.meta.url);
  const path = join(dirname(require.resolve(`${runtime}/package.json`)), runtime === 'node' ? 'bin/node' : 'deno');
  try {
    await access(path);
    return path;
  } catch (cause) {
    throw new TentacularError('unavailable', `Image: the package ${runtime} holds no binary at ${path}`, {
      hint: 'Its install script has not run: `npm ci` (with scripts allowed for node and deno), then the same command again.',
      cause,
    });
  }
}

async function strippedBinary(binary: string, cacheDir: string): Promise<string> {
  return cached(join(cacheDir, 'images', 'runtime'), await fileDigest(binary), async (output) => {
    await writeFile(output, stripElf(await readFile(binary)), { mode: 0o755 });
  });
}

/** The file of that key in `folder`; made aside and renamed, so that a killed run leaves no half file. */
async function cached(folder: string, key: string, make: (output: string) => Promise<void>): Promise<string> {
  const path = join(folder, key);
  try {
    await access(path);
    return path;
  } catch {
    // not made yet
  }
  await mkdir(folder, { recursive: true });
  const part = `${path}.${randomUUID()}.part`;
  try {
    await make(part);
    await rename(part, path);
    await keepNewest(folder, '', keptBinaries);
  } finally {
    await rm(part, { force: true });
  }
  return path;
}
