import type { JsonObject } from '../../constructs/model/json.ts';
import type { DnsOptions } from '../../constructs/model/options.ts';

/** What the values need to know of a cluster; addresses are those that pods see, after translation. */
export interface ClusterAddresses {
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodeCidrs: readonly string[];
  readonly apiServerCidrs: readonly string[];
  readonly apiPort: number;
  readonly dns: DnsOptions;
}

/** Full names with tags. */
export interface ImageRefs {
  readonly server: string;
  readonly engine: string;
}

/**
 * Helm values that fit the chart to one cluster. Without addresses (a cluster that is not ours) the chart's defaults
 * stand, which shut the private ranges in any case.
 */
export function controlPlaneValues(images: ImageRefs, addresses?: ClusterAddresses): JsonObject {
  const image = splitRef(images.server);
  if (addresses === undefined) return { image, renderer: { engineImage: images.engine } };
  const { podCidrs, serviceCidrs, nodeCidrs, apiServerCidrs, apiPort, dns } = addresses;
  const renderer = { engineImage: images.engine, podCidrs, serviceCidrs, nodeCidrs, apiServerCidrs, dns };
  const egress = { enabled: true, apiServer: { cidrs: apiServerCidrs, ports: [apiPort] } };
  return JSON.parse(JSON.stringify({ image, renderer, networkPolicy: { egress } })) as JsonObject;
}

/** `registry:5000/a/b:tag` as the chart takes it: the tag follows the last colon. */
function splitRef(ref: string): JsonObject {
  const colon = ref.lastIndexOf(':');
  return { repository: ref.slice(0, colon), tag: ref.slice(colon + 1) };
}
