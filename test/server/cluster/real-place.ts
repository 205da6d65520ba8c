import { KubeConfig } from '@kubernetes/client-node';
import { loadContext } from '../../../server/cluster/kubeconfig.ts';
import type { Place } from './place.ts';

/** The real API server of the test cluster's own kubeconfig. */
export async function realPlace(kubeconfig: string): Promise<Place> {
  const loaded = await loadContext({ kind: 'context', kubeconfig, context: contextOf(kubeconfig) });
  const { tls, authorization } = await loaded.credentials();
  const { ca, cert, key } = tls;
  return {
    connection: {
      kind: 'direct',
      server: loaded.server,
      ...(ca === undefined ? {} : { ca }),
      ...(cert !== undefined && key !== undefined ? { clientCertificate: { cert, key } } : {}),
      ...(authorization === undefined ? {} : { token: authorization.replace(/^Bearer /, '') }),
    },
    close: async () => undefined,
  };
}

/** The context that the file itself names: of a file that the tests were given, never of the machine's own. */
function contextOf(kubeconfig: string): string {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  return config.getCurrentContext();
}
