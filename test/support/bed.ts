import type { ProvidedContext } from 'vitest';
import { cacheFolder } from '../../local/binaries/find.ts';
import { type ClusterInfo, up } from '../../local/cluster.ts';
import { streamProgress } from '../../local/progress.ts';
import { bringImages } from '../../local/start/bring-images.ts';
import { contextTarget } from '../../local/start/context-target.ts';
import { defaultNamespace, installControlPlane } from '../../local/start/control-plane.ts';
import { embeddedTarget } from '../../local/start/embedded-target.ts';

export interface PreparedBed {
  readonly provided: Omit<ProvidedContext, 'keycloak' | 'keycloakResource'>;
  close(): Promise<void>;
}

/** The same cluster, images and chart that `npm start` uses; every step does nothing where nothing has changed. */
export async function prepareBed(): Promise<PreparedBed> {
  const progress = streamProgress();
  const cacheDir = cacheFolder();
  const context = process.env.TENTACULAR_CONTEXT;
  const cluster = context ? undefined : await up({ cacheDir, progress });
  const target = cluster ? embeddedTarget(cluster) : await contextTarget(context ?? '', cacheDir);
  const images = await bringImages(target, cacheDir, progress);
  const control = await progress.step('control plane', () => installControlPlane(target, images));
  const reached = await target.reach(defaultNamespace);
  return {
    provided: {
      kubeconfig: target.kubeconfig,
      kubectl: target.kubectl,
      helm: target.helm,
      endpoint: reached.endpoint,
      token: control.token,
      systemNamespace: defaultNamespace,
      engineImage: images.engine,
      echoImage: images.echo,
      outside: cluster && outsideOf(cluster),
      auditLog: cluster?.auditLog,
    },
    close: () => reached.close(),
  };
}

function outsideOf(cluster: ClusterInfo): NonNullable<ProvidedContext['outside']> {
  return { ip: cluster.extIp, netns: cluster.extNetns, nodeIp: cluster.nodeIp };
}
