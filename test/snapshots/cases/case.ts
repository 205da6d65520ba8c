import type { JsonObject } from '../../../constructs/model/json.ts';
import type { RendererOptions } from '../../../constructs/model/options.ts';
import type { EnclaveSource, TentacleSource } from '../../../constructs/source.ts';

/** One golden: what it shows, and what it is rendered from. */
export type GoldenCase = { readonly name: string; readonly shows: string; readonly options: RendererOptions } & (
  | { readonly tentacle: TentacleSource; readonly enclave?: never }
  | { readonly enclave: EnclaveSource; readonly tentacle?: never }
);

/** The cluster of the goldens: every option that has no default, nothing else. */
export const baseOptions: RendererOptions = {
  engineImage: 'registry.example.com/tentacular-engine:0.1.0',
  controlPlane: {
    namespace: 'tentacular-system',
    serviceAccount: 'tentacular-mcp',
    podLabels: { 'app.kubernetes.io/name': 'tentacular-mcp' },
  },
  dns: { namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' }, podLabels: { 'k8s-app': 'kube-dns' } },
  podCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/16'],
  nodeCidrs: ['192.168.7.0/24'],
};

const node = 'export default async function (ctx, input) {\n  return input;\n}\n';

interface TentacleCase {
  /** Merged over `name`, `version`, and the one node `work`. */
  readonly workflow?: JsonObject;
  readonly files?: Readonly<Record<string, string>>;
  readonly source?: Partial<TentacleSource>;
  readonly options?: Partial<RendererOptions>;
}

/** A case of one node in the enclave `team`, and what differs from that. */
export function tentacleCase(
  name: string,
  shows: string,
  { workflow = {}, files = {}, source = {}, options = {} }: TentacleCase,
): GoldenCase {
  const full = { name: 'job', version: '1.0.0', nodes: { work: { path: 'nodes/work.ts' } }, ...workflow };
  return {
    name,
    shows,
    options: { ...baseOptions, ...options },
    tentacle: { enclave: 'team', workflow: full, files: { 'nodes/work.ts': node, ...files }, ...source },
  };
}

/** A case with dependencies and nothing else of interest. */
export function contractCase(
  name: string,
  shows: string,
  dependencies: JsonObject,
  options: Partial<RendererOptions> = {},
): GoldenCase {
  return tentacleCase(name, shows, { workflow: { contract: { version: '1', dependencies } }, options });
}

/** A case of the enclave `team`, and what differs from its defaults. */
export function enclaveCase(
  name: string,
  shows: string,
  source: Partial<EnclaveSource>,
  options: Partial<RendererOptions> = {},
): GoldenCase {
  return { name, shows, options: { ...baseOptions, ...options }, enclave: { name: 'team', ...source } };
}
