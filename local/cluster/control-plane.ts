import { join } from 'node:path';
import { nodePortRange } from '../network/guard.ts';
import { askLoopback } from './api-client.ts';
import { audit } from './audit.ts';
import type { Daemon } from './daemon.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';

/** Programs of the control plane, by name. */
export interface ControlPlane {
  readonly etcd: Daemon;
  readonly apiServer: Daemon;
  readonly controllerManager: Daemon;
  readonly scheduler: Daemon;
}

export type ControlPlaneBinaries = Readonly<
  Record<'etcd' | 'kube-apiserver' | 'kube-controller-manager' | 'kube-scheduler', string>
>;

export function controlPlane(settings: Settings, layout: Layout, binaries: ControlPlaneBinaries): ControlPlane {
  const pki = (file: string) => join(layout.pki, file);
  const answersOk = (port: number, path: string, user?: string) => async () =>
    (await askLoopback(layout, port, path, user === undefined ? {} : { user })).status === 200;
  const etcdUrl = `https://127.0.0.1:${settings.ports.etcd}`;
  const peerUrl = `http://127.0.0.1:${settings.ports.etcdPeer}`;
  const manager = (name: 'controller-manager' | 'scheduler', port: number) => ({
    args: [
      ...['--kubeconfig', '--authentication-kubeconfig', '--authorization-kubeconfig'].flatMap((flag) => [
        flag,
        pki(`${name}.kubeconfig`),
      ]),
      ...['--bind-address', '127.0.0.1', '--secure-port', String(port)],
      ...['--tls-cert-file', pki('loopback.crt'), '--tls-private-key-file', pki('loopback.key')],
      // The client's defaults (20 to 50 requests a second) are for clusters with neighbours.
      ...['--leader-elect=false', '--kube-api-qps', '200', '--kube-api-burst', '400', '--profiling=false'],
    ],
    configFiles: [pki(`${name}.kubeconfig`), pki('loopback.crt')],
    ready: answersOk(port, '/healthz'),
  });
  const controllerManager = manager('controller-manager', settings.ports.controllerManager);
  const scheduler = manager('scheduler', settings.ports.scheduler);
  return {
    etcd: {
      name: 'etcd',
      command: binaries.etcd,
      args: [
        ...['--name', settings.instance, '--data-dir', layout.etcdData],
        ...['--listen-client-urls', etcdUrl, '--advertise-client-urls', etcdUrl],
        ...['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl],
        ...['--initial-cluster', `${settings.instance}=${peerUrl}`],
        ...['--client-cert-auth', '--trusted-ca-file', pki('ca.crt')],
        ...['--cert-file', pki('etcd.crt'), '--key-file', pki('etcd.key')],
        // Speed over the last second of a power cut: `up` puts damaged data aside and says so.
        ...['--unsafe-no-fsync', '--log-level', 'warn'],
      ],
      configFiles: [pki('ca.crt'), pki('etcd.crt')],
      ready: answersOk(settings.ports.etcd, '/health', 'apiserver-etcd'),
      readyTimeoutMs: 30_000,
    },
    apiServer: {
      name: 'kube-apiserver',
      command: binaries['kube-apiserver'],
      args: [
        ...['--etcd-servers', etcdUrl, '--etcd-cafile', pki('ca.crt')],
        ...['--etcd-certfile', pki('apiserver-etcd.crt'), '--etcd-keyfile', pki('apiserver-etcd.key')],
        ...['--secure-port', String(settings.ports.api), '--bind-address', '0.0.0.0'],
        ...['--advertise-address', settings.nodeIp],
        ...['--tls-cert-file', pki('apiserver.crt'), '--tls-private-key-file', pki('apiserver.key')],
        ...['--client-ca-file', pki('ca.crt'), '--authorization-mode', 'Node,RBAC'],
        ...['--enable-admission-plugins', 'NodeRestriction'],
        ...['--service-account-issuer', 'https://kubernetes.default.svc.cluster.local'],
        ...['--service-account-key-file', pki('sa.pub'), '--service-account-signing-key-file', pki('sa.key')],
        ...['--service-cluster-ip-range', settings.serviceCidr, '--service-node-port-range', nodePortRange],
        ...['--kubelet-client-certificate', pki('apiserver-kubelet.crt')],
        ...['--kubelet-client-key', pki('apiserver-kubelet.key'), '--kubelet-certificate-authority', pki('ca.crt')],
        ...['--kubelet-preferred-address-types', 'InternalIP', '--allow-privileged=true', '--profiling=false'],
        ...audit(layout).args,
      ],
      configFiles: [
        ...['ca.crt', 'apiserver.crt', 'apiserver-etcd.crt', 'apiserver-kubelet.crt', 'sa.pub'].map(pki),
        ...audit(layout).configFiles,
      ],
      ready: answersOk(settings.ports.api, '/readyz'),
      readyTimeoutMs: 90_000,
    },
    controllerManager: {
      name: 'kube-controller-manager',
      command: binaries['kube-controller-manager'],
      ...controllerManager,
      args: [
        ...controllerManager.args,
        ...['--service-account-private-key-file', pki('sa.key'), '--root-ca-file', pki('ca.crt')],
        ...['--use-service-account-credentials'],
        ...['--cluster-signing-cert-file', pki('ca.crt'), '--cluster-signing-key-file', pki('ca.key')],
        ...['--allocate-node-cidrs', '--cluster-cidr', settings.podCidr, '--node-cidr-mask-size', '24'],
        ...['--service-cluster-ip-range', settings.serviceCidr],
      ],
      configFiles: [...controllerManager.configFiles, pki('sa.pub'), pki('ca.crt')],
    },
    scheduler: { name: 'kube-scheduler', command: binaries['kube-scheduler'], ...scheduler },
  };
}
