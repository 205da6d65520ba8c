import type { RendererOptions } from '../../../constructs/model/options.ts';

/** Renderer options of a cluster that does not exist. */
export const rendererOptions: RendererOptions = {
  engineImage: 'registry.example.com/tentacular-engine:0.1.0',
  controlPlane: {
    namespace: 'tentacular-system',
    serviceAccount: 'tentacular-mcp',
    podLabels: { 'app.kubernetes.io/name': 'tentacular-mcp' },
  },
  dns: {
    namespaceLabels: { 'kubernetes.io/metadata.name': 'kube-system' },
    podLabels: { 'k8s-app': 'kube-dns' },
  },
  podCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/12'],
  nodeCidrs: ['192.168.0.0/24'],
};
