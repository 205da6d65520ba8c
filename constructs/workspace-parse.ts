import { checkEnclave } from './enclave/parse.ts';
import { describeFault, type Fault } from './model/errors.ts';
import type { RendererOptions } from './model/options.ts';
import { checkRendererOptions } from './options.ts';
import type { EnclaveSource, TentacleSource } from './source.ts';
import { Reader } from './workflow/reader.ts';
import { sourceOfYaml } from './workflow/yaml-source.ts';
import type { WorkspaceFiles } from './workspace.ts';

/** Everything that is wrong with one file or folder of a workspace. */
export interface FileFaults {
  /** Path within the workspace, e.g. `enclaves/data/hello`. */
  readonly path: string;
  readonly faults: readonly Fault[];
}

/** What a workspace's files say. Workflows are not read here: rendering does, and tells their faults. */
export interface ParsedWorkspace {
  /** Undefined where tentacular.yaml has faults. */
  readonly options: RendererOptions | undefined;
  readonly enclaves: readonly EnclaveSource[];
  readonly tentacles: readonly (TentacleSource & { readonly name: string })[];
  readonly faults: readonly FileFaults[];
}

/** Sources out of text, and the faults of tentacular.yaml and of every enclave.yaml at once. */
export function parseWorkspace(files: WorkspaceFiles): ParsedWorkspace {
  const faults: FileFaults[] = [];
  const options = optionsOf(files.options, faults);
  const enclaves: EnclaveSource[] = [];
  for (const { name, enclave } of files.enclaves) {
    const checked = checkEnclave(name, enclave ?? '{}');
    if (checked.source) enclaves.push(checked.source);
    else faults.push({ path: `enclaves/${name}/enclave.yaml`, faults: checked.faults });
  }
  const tentacles = files.enclaves.flatMap(({ name: enclave, tentacles }) =>
    tentacles.map(({ name, workflow, files: code }) => ({ enclave, name, workflow, files: code })),
  );
  return { options, enclaves, tentacles, faults };
}

function optionsOf(text: string, faults: FileFaults[]): RendererOptions | undefined {
  const path = 'tentacular.yaml';
  const document = sourceOfYaml(text);
  const reader = new Reader(document);
  const fields = document.value === undefined ? undefined : reader.fields(document.value, '', ['rendererOptions']);
  if (reader.faults.length > 0 || !fields) {
    faults.push({ path, faults: reader.faults });
    return undefined;
  }
  const checked = checkRendererOptions(fields.rendererOptions);
  if (checked.options) return checked.options;
  const located = checked.faults.map((fault) => {
    const full = fault.path === '' ? 'rendererOptions' : `rendererOptions.${fault.path}`;
    return { ...fault, path: full, ...document.position(full) };
  });
  faults.push({ path, faults: located });
  return undefined;
}

/** All faults as text, a paragraph a file. */
export function describeFileFaults(all: readonly FileFaults[]): string {
  const count = all.reduce((sum, { faults }) => sum + faults.length, 0);
  const paragraphs = all.map(
    ({ path, faults }) => `${path}\n${faults.map((fault) => `  ${describeFault(fault)}`).join('\n')}`,
  );
  return `${count} ${count === 1 ? 'fault' : 'faults'}; nothing was written.\n\n${paragraphs.join('\n\n')}\n`;
}
