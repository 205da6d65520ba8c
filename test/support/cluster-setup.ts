import type { TestProject } from 'vitest/node';
import { prepareBed } from './bed.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the kubeconfig of the cluster under test: never the current context's. */
    kubeconfig: string;
    /** Path of kubectl. */
    kubectl: string;
    /** Path of helm. */
    helm: string;
    /** `http://127.0.0.1:30080/mcp` */
    endpoint: string;
    token: string;
    /** Namespace that the control plane is installed in. */
    systemNamespace: string;
    engineImage: string;
    echoImage: string;
    /** A host outside the cluster that the test bed made; undefined on a cluster that is not ours. */
    outside: { readonly ip: string; readonly netns: string; readonly nodeIp: string } | undefined;
    /** The API server's audit log on this machine; undefined on a cluster that is not ours. */
    auditLog: string | undefined;
  }
}

/** Starts the cluster if it is not up, brings the images in, installs the control plane; all of it idempotent. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const { provided, close } = await prepareBed();
  provide('kubeconfig', provided.kubeconfig);
  provide('kubectl', provided.kubectl);
  provide('helm', provided.helm);
  provide('endpoint', provided.endpoint);
  provide('token', provided.token);
  provide('systemNamespace', provided.systemNamespace);
  provide('engineImage', provided.engineImage);
  provide('echoImage', provided.echoImage);
  provide('outside', provided.outside);
  provide('auditLog', provided.auditLog);
  return close;
}
