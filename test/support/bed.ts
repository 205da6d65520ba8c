import type { ProvidedContext } from 'vitest';
import { cacheFolder } from '../../local/binaries/find.ts';
import { type ClusterInfo, up } from '../../local/cluster.ts';
import { ensureImages } from '../../local/images/ensure.ts';
import { streamProgress } from '../../local/progress.ts';
import { contextTarget } from '../../local/start/context-target.ts';
import { defaultNamespace, installControlPlane } from '../../local/start/control-plane.ts';
import { embeddedTarget } from '../../local/start/embedded-target.ts';
import type { StartTarget } from '../../local/start/target.ts';

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
  const images = await imageRefs(target, cacheDir);
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
    },
    close: () => reached.close(),
  };
}

async function imageRefs(target: StartTarget, cacheDir: string): Promise<NonNullable<StartTarget['givenImages']>> {
  if (target.givenImages !== undefined) return target.givenImages;
  const images = await ensureImages(cacheDir);
  await target.bringIn(images);
  return { server: images.server.ref, engine: images.engine.ref, echo: images.echo.ref };
}

function outsideOf(cluster: ClusterInfo): NonNullable<ProvidedContext['outside']> {
  return { ip: cluster.extIp, netns: cluster.extNetns, nodeIp: cluster.nodeIp };
}
