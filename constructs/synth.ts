import { manifestsToYaml } from './k8s/yaml.ts';
import { faultsOf, TentacularError } from './model/errors.ts';
import type { RendererOptions } from './model/options.ts';
import { renderEnclave, renderTentacle } from './render.ts';
import type { WorkspaceFiles } from './workspace.ts';
import { type FileFaults, parseWorkspace } from './workspace-parse.ts';

/** Text of every rendered file by path (`data/hello.k8s.yaml`), or every fault of the whole workspace. */
export type SynthResult =
  | { readonly files: ReadonlyMap<string, string>; readonly warnings: readonly string[]; readonly faults: readonly [] }
  | { readonly files?: never; readonly faults: readonly FileFaults[] };

/**
 * Renders a workspace. An enclave's own objects are `<enclave>/0-enclave.k8s.yaml`: before its tentacles in the order
 * in which `kubectl apply -R` reads, and a name that no tentacle can have.
 */
export function synthWorkspace(given: WorkspaceFiles): SynthResult {
  const { options, enclaves, tentacles, faults } = parseWorkspace(given);
  const files = new Map<string, string>();
  const warnings: string[] = [];
  const all: FileFaults[] = [...faults];
  const attempt = (path: string, render: () => void): void => {
    try {
      render();
    } catch (error) {
      if (!(error instanceof TentacularError)) throw error;
      all.push({ path, faults: faultsOf(error) });
    }
  };
  // Without options the sources are still rendered, so that their faults are told in the same go.
  const rendering = options ?? stubOptions;
  for (const enclave of enclaves) {
    attempt(`enclaves/${enclave.name}/enclave.yaml`, () => {
      files.set(`${enclave.name}/0-enclave.k8s.yaml`, manifestsToYaml(renderEnclave(enclave, rendering).manifests));
    });
  }
  for (const tentacle of tentacles) {
    const path = `enclaves/${tentacle.enclave}/${tentacle.name}`;
    attempt(path, () => {
      const rendered = renderTentacle({ ...tentacle, managedByGit: true }, rendering);
      files.set(`${tentacle.enclave}/${tentacle.name}.k8s.yaml`, manifestsToYaml(rendered.manifests));
      warnings.push(...rendered.warnings.map((warning) => `${path}: ${warning}`));
    });
  }
  return all.length > 0 ? { faults: all } : { files, warnings, faults: [] };
}

// Stands in for options that could not be read: nothing of what it renders is kept.
const stubOptions: RendererOptions = {
  engineImage: 'engine',
  allowedEngineImages: ['*'],
  controlPlane: { namespace: 'tentacular-system', serviceAccount: 'tentacular-mcp', podLabels: {} },
  dns: { namespaceLabels: {} },
  podCidrs: [],
  serviceCidrs: [],
  nodeCidrs: [],
  moduleProxy: {
    kind: 'registry',
    url: 'http://module-proxy',
    namespace: 'tentacular-support',
    podLabels: {},
    port: 4873,
  },
  exoskeleton: {
    postgres: { host: 'postgres.tentacular-support.svc', port: 5432 },
    nats: { host: 'nats.tentacular-support.svc', port: 4222 },
    rustfs: { host: 'rustfs.tentacular-support.svc', port: 9000 },
  },
};
