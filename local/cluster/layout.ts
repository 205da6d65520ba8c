import { join } from 'node:path';

/** Where things lie in the state folder. */
export interface Layout {
  readonly stateDir: string;
  readonly pki: string;
  /** Configuration files of the programs. */
  readonly etc: string;
  /** CNI network configuration. */
  readonly cniConf: string;
  readonly cniBin: string;
  /** Survives `down`. */
  readonly var: string;
  readonly etcdData: string;
  readonly containerdRoot: string;
  readonly kubeletRoot: string;
  /** Leases of pod addresses. */
  readonly ipam: string;
  /** Gone with `down`. */
  readonly run: string;
  readonly containerdState: string;
  readonly containerdSocket: string;
  /** Records of the processes that were started. */
  readonly pids: string;
  readonly log: string;
  /** The API server's audit log; the one before it lies beside it. */
  readonly auditLog: string;
  readonly images: string;
  readonly kubeconfig: string;
  /** Who started the cluster, and with what. */
  readonly record: string;
}

export function layoutOf(stateDir: string): Layout {
  const at = (...parts: string[]) => join(stateDir, ...parts);
  return {
    stateDir,
    pki: at('pki'),
    etc: at('etc'),
    cniConf: at('etc', 'net.d'),
    cniBin: at('cni-bin'),
    var: at('var'),
    etcdData: at('var', 'etcd'),
    containerdRoot: at('var', 'containerd'),
    kubeletRoot: at('var', 'kubelet'),
    ipam: at('var', 'cni'),
    run: at('run'),
    containerdState: at('run', 'containerd'),
    containerdSocket: at('run', 'containerd.sock'),
    pids: at('pids'),
    log: at('log'),
    auditLog: at('log', 'audit', 'audit.log'),
    images: at('images'),
    kubeconfig: at('kubeconfig'),
    record: at('cluster.json'),
  };
}
