import { TentacularError } from './model/errors.ts';
import type { RendererOptions } from './model/options.ts';
import type { EnclaveSource, TentacleSource } from './source.ts';
import { readWorkspaceFiles } from './workspace-files.ts';
import { describeFileFaults, parseWorkspace } from './workspace-parse.ts';

/** A workspace as sources: what clients send to a server, one by one. */
export interface Workspace {
  readonly options: RendererOptions;
  readonly enclaves: readonly EnclaveSource[];
  readonly tentacles: readonly (TentacleSource & { readonly name: string })[];
}

/**
 * Reads the workspace in a folder. Workflows come as text: whoever renders them tells their faults.
 * @throws TentacularError `invalid_input` with every fault of tentacular.yaml and all enclave.yaml.
 */
export async function readWorkspace(root: string): Promise<Workspace> {
  const { options, enclaves, tentacles, faults } = parseWorkspace(await readWorkspaceFiles(root));
  if (options && faults.length === 0) return { options, enclaves, tentacles };
  throw new TentacularError('invalid_input', describeFileFaults(faults), { hint: 'Correct every fault listed.' });
}
