import type { JsonObject } from '../../constructs/model/json.ts';

/** What the values need to know of a cluster; the addresses are those that pods see. */
export interface ClusterAddresses {
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodeCidrs: readonly string[];
  /** Address of the node that runs the API server. */
  readonly nodeIp: string;
  /** URL of the API server; only its port is read. */
  readonly apiServer: string;
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
  return {
    image: imageValues(images.server),
    renderer: {
      engineImage: images.engine,
      ...(addresses !== undefined && {
        podCidrs: [...addresses.podCidrs],
        serviceCidrs: [...addresses.serviceCidrs],
        nodeCidrs: [...addresses.nodeCidrs],
        apiServerCidrs: [`${addresses.nodeIp}/32`, ...addresses.serviceCidrs.map((cidr) => `${firstAddress(cidr)}/32`)],
      }),
    },
    ...(addresses !== undefined && {
      networkPolicy: {
        egress: {
          enabled: true,
          apiServer: { cidrs: [`${addresses.nodeIp}/32`], ports: [portOf(addresses.apiServer)] },
        },
      },
    }),
  };
}

/** `a/b:tag` as the chart takes it; a digest counts as part of the tag's side only after a colon. */
function imageValues(ref: string): JsonObject {
  const colon = ref.lastIndexOf(':');
  return { repository: ref.slice(0, colon), tag: ref.slice(colon + 1) };
}

/** The first address of an IPv4 range: where Kubernetes puts the Service of the API server. */
function firstAddress(cidr: string): string {
  const octets = (cidr.split('/')[0] ?? '').split('.').map(Number);
  const last = octets.pop() ?? 0;
  return [...octets, last + 1].join('.');
}

function portOf(url: string): number {
  const { port } = new URL(url);
  return port === '' ? 443 : Number(port);
}
