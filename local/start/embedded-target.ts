import type { ClusterInfo } from '../cluster.ts';
import { imageNames } from '../images/definitions.ts';
import { type StartTarget, waitForServer } from './target.ts';

/** The NodePort of the chart, on loopback. */
const endpoint = 'http://127.0.0.1:30080/mcp';

/** The embedded cluster, which is up, as a target. */
export function embeddedTarget(cluster: ClusterInfo): StartTarget {
  return {
    description: 'the embedded cluster',
    stopCommand: 'npm run cluster -- down',
    kubeconfig: cluster.kubeconfig,
    kubectl: cluster.kubectl,
    helm: cluster.helm,
    stateDir: cluster.stateDir,
    addresses: cluster,
    async bringIn(images) {
      for (const name of imageNames) await cluster.importImage(images[name].tar);
    },
    async reach() {
      await waitForServer(endpoint);
      return { endpoint, close: async () => undefined };
    },
  };
}
