import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isCodeFile, maxCodeBytes, maxFiles } from './workflow/files.ts';

// The one place in constructs/ that reads files: `cdk8s synth` stands on it, rendering itself never does.

/** A workspace as text: what `synthWorkspace` renders. */
export interface WorkspaceFiles {
  /** Text of tentacular.yaml. */
  readonly options: string;
  readonly enclaves: readonly EnclaveFiles[];
}

export interface EnclaveFiles {
  /** Name of the folder, which is the enclave's name. */
  readonly name: string;
  /** Text of enclave.yaml; undefined where there is none. */
  readonly enclave: string | undefined;
  readonly tentacles: readonly TentacleFiles[];
}

export interface TentacleFiles {
  /** Name of the folder, which is the tentacle's name. */
  readonly name: string;
  readonly workflow: string;
  readonly files: Readonly<Record<string, string>>;
}

/** Largest folder that is looked through, in entries: somebody pointed at the wrong one. */
const maxEntries = 10_000;

/** Reads a workspace: tentacular.yaml and enclaves/<enclave>/<tentacle>/, in the order of names. */
export async function readWorkspace(root: string): Promise<WorkspaceFiles> {
  const options = await readFile(join(root, 'tentacular.yaml'), 'utf8');
  const folder = join(root, 'enclaves');
  const enclaves: EnclaveFiles[] = [];
  for (const name of await foldersIn(folder)) {
    const tentacles: TentacleFiles[] = [];
    for (const tentacle of await foldersIn(join(folder, name))) {
      tentacles.push(await readTentacle(join(folder, name, tentacle), tentacle));
    }
    enclaves.push({ name, enclave: await readIfThere(join(folder, name, 'enclave.yaml')), tentacles });
  }
  return { options, enclaves };
}

/** Reads one workflow's folder: workflow.yaml and the files that are its code (not tests, not secrets). */
async function readTentacle(folder: string, name: string): Promise<TentacleFiles> {
  const workflow = (await readIfThere(join(folder, 'workflow.yaml'))) ?? '';
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  if (entries.length > maxEntries)
    throw new RangeError(`${folder} holds ${entries.length} entries; at most ${maxEntries} are read`);
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter(isCodeFile)
    .sort();
  const files: Record<string, string> = {};
  let bytes = 0;
  for (const path of paths.slice(0, maxFiles + 1)) {
    // Beyond the limit rendering refuses anyway; a huge file need not be read to say so.
    bytes += (await stat(join(folder, path))).size;
    files[path] = bytes > 4 * maxCodeBytes ? '' : await readFile(join(folder, path), 'utf8');
  }
  return { name, workflow, files };
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
