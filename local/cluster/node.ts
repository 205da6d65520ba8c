import { join } from 'node:path';
import { stringify } from 'yaml';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Daemon } from './daemon.ts';
import { askHealth, socketAnswers } from './health.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';

/** Name of the image that holds a pod's namespaces open. */
export const pauseImage = 'localhost/pause:1';

/** Programs of the node, by name. */
export interface Node {
  readonly containerd: Daemon;
  readonly kubelet: Daemon;
  readonly proxy: Daemon;
  readonly felix: Daemon;
}

export interface NodeBinaries {
  readonly containerd: string;
  readonly kubelet: string;
  readonly 'kube-proxy': string;
  readonly 'calico-felix': string;
}

/** How iptables of this machine works underneath; Felix has to use the same. */
export type IptablesBackend = 'NFT' | 'Legacy';

/** Path of a configuration file of the node. */
function configPath(layout: Layout, name: 'containerd.toml' | 'kubelet.yaml' | 'kube-proxy.yaml' | 'resolv.conf') {
  return join(layout.etc, name);
}

/** Content of every configuration file of the node, by path. `resolvers`: what pods with the node's DNS use; empty behind the guard. */
export function nodeConfigFiles(
  settings: Settings,
  layout: Layout,
  resolvers: readonly string[],
): Record<string, string> {
  return {
    [configPath(layout, 'containerd.toml')]: containerdConfig(layout),
    [configPath(layout, 'kubelet.yaml')]: stringify(kubeletConfig(settings, layout)),
    [configPath(layout, 'kube-proxy.yaml')]: stringify(proxyConfig(settings, layout)),
    [configPath(layout, 'resolv.conf')]: [
      '# written by tentacular',
      ...resolvers.map((ip) => `nameserver ${ip}`),
      '',
    ].join('\n'),
    [join(layout.cniConf, '10-tentacular.conflist')]: `${JSON.stringify(cniConfig(settings, layout), null, 2)}\n`,
  };
}

export function node(settings: Settings, layout: Layout, binaries: NodeBinaries, backend: IptablesBackend): Node {
  const pki = (file: string) => join(layout.pki, file);
  return {
    containerd: {
      name: 'containerd',
      command: binaries.containerd,
      args: ['--config', configPath(layout, 'containerd.toml')],
      configFiles: [configPath(layout, 'containerd.toml')],
      ready: () => socketAnswers(layout.containerdSocket),
      readyTimeoutMs: 30_000,
    },
    kubelet: {
      name: 'kubelet',
      command: binaries.kubelet,
      args: [
        ...['--config', configPath(layout, 'kubelet.yaml'), '--kubeconfig', pki('kubelet.kubeconfig')],
        ...['--hostname-override', settings.nodeName, '--node-ip', settings.nodeIp],
        ...['--root-dir', layout.kubeletRoot, '--cert-dir', join(layout.kubeletRoot, 'pki')],
      ],
      configFiles: [
        ...[configPath(layout, 'kubelet.yaml'), configPath(layout, 'resolv.conf'), pki('kubelet.kubeconfig')],
        ...[pki('kubelet-server.crt'), pki('ca.crt')],
      ],
      ready: () => askHealth(settings.ports.kubeletHealth, '/healthz'),
    },
    proxy: {
      name: 'kube-proxy',
      command: binaries['kube-proxy'],
      args: ['--config', configPath(layout, 'kube-proxy.yaml')],
      configFiles: [configPath(layout, 'kube-proxy.yaml'), pki('proxy.kubeconfig')],
      ready: () => askHealth(settings.ports.proxyHealth, '/healthz'),
    },
    felix: {
      name: 'calico-felix',
      command: binaries['calico-felix'],
      args: [],
      env: felixEnv(settings, pki('calico.kubeconfig'), backend),
      configFiles: [pki('calico.kubeconfig')],
      ready: () => askHealth(settings.ports.felixHealth, '/readiness'),
    },
  };
}

function containerdConfig(layout: Layout): string {
  return `version = 2
root = "${layout.containerdRoot}"
state = "${layout.containerdState}"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp"]
[grpc]
  address = "${layout.containerdSocket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  # Not every machine lets root lower the OOM score (CAP_SYS_RESOURCE).
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_unprivileged_ports = true
  # Below the state folder, so that what a crash leaves behind is known to be ours.
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${layout.cniBin}"
    conf_dir = "${layout.cniConf}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

function kubeletConfig(settings: Settings, layout: Layout): JsonObject {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(layout.pki, 'ca.crt') },
    },
    authorization: { mode: 'Webhook' },
    tlsCertFile: join(layout.pki, 'kubelet-server.crt'),
    tlsPrivateKeyFile: join(layout.pki, 'kubelet-server.key'),
    address: '0.0.0.0',
    port: settings.ports.kubelet,
    healthzBindAddress: '127.0.0.1',
    healthzPort: settings.ports.kubeletHealth,
    cgroupDriver: 'cgroupfs',
    // A group of our own: what is in it is known to be ours, also when all records are gone.
    cgroupRoot: `/${settings.instance}`,
    cgroupsPerQOS: true,
    enforceNodeAllocatable: ['pods'],
    containerRuntimeEndpoint: `unix://${layout.containerdSocket}`,
    clusterDomain: 'cluster.local',
    clusterDNS: [settings.dnsServiceIp],
    resolvConf: configPath(layout, 'resolv.conf'),
    podLogsDir: join(layout.log, 'pods'),
    volumePluginDir: join(layout.kubeletRoot, 'volume-plugins'),
    failSwapOn: false,
    oomScoreAdj: 0,
    maxPods: 200,
    serializeImagePulls: false,
    // Imported images cannot be pulled again: they are never collected.
    imageMinimumGCAge: '240h',
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '200Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    seccompDefault: true,
    syncFrequency: '10s',
    nodeStatusUpdateFrequency: '10s',
    shutdownGracePeriod: '0s',
  };
}

function proxyConfig(settings: Settings, layout: Layout): JsonObject {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig: join(layout.pki, 'proxy.kubeconfig') },
    hostnameOverride: settings.nodeName,
    mode: 'iptables',
    clusterCIDR: settings.podCidr,
    oomScoreAdj: 0,
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    nodePortAddresses: ['127.0.0.0/8', `${settings.nodeIp}/32`],
    healthzBindAddress: `127.0.0.1:${settings.ports.proxyHealth}`,
    metricsBindAddress: `127.0.0.1:${settings.ports.proxyMetrics}`,
    iptables: { localhostNodePorts: true, minSyncPeriod: '200ms', syncPeriod: '30s' },
  };
}

function cniConfig(settings: Settings, layout: Layout): JsonObject {
  return {
    cniVersion: '0.3.1',
    name: 'k8s-pod-network',
    plugins: [
      {
        type: 'calico',
        log_level: 'warning',
        log_file_path: join(layout.log, 'calico-cni.log'),
        datastore_type: 'kubernetes',
        nodename: settings.nodeName,
        nodename_file_optional: true,
        mtu: 1400,
        ipam: { type: 'host-local', subnet: 'usePodCidr', dataDir: layout.ipam },
        policy: { type: 'k8s' },
        kubernetes: { kubeconfig: join(layout.pki, 'calico.kubeconfig') },
      },
      { type: 'portmap', snat: true, capabilities: { portMappings: true } },
    ],
  };
}

function felixEnv(settings: Settings, kubeconfig: string, backend: IptablesBackend): Record<string, string> {
  return {
    DATASTORE_TYPE: 'kubernetes',
    FELIX_DATASTORETYPE: 'kubernetes',
    KUBECONFIG: kubeconfig,
    FELIX_FELIXHOSTNAME: settings.nodeName,
    // Else pods cannot reach the API server, which is a process of the host; policies still apply to pod to host.
    FELIX_DEFAULTENDPOINTTOHOSTACTION: 'ACCEPT',
    FELIX_IPV6SUPPORT: 'false',
    // It would call out.
    FELIX_USAGEREPORTINGENABLED: 'false',
    FELIX_LOGSEVERITYSCREEN: 'warning',
    FELIX_LOGFILEPATH: 'none',
    FELIX_LOGSEVERITYFILE: 'none',
    FELIX_LOGSEVERITYSYS: 'none',
    FELIX_IPTABLESBACKEND: backend,
    FELIX_IPINIPENABLED: 'false',
    FELIX_VXLANENABLED: 'false',
    FELIX_XDPENABLED: 'false',
    FELIX_BPFENABLED: 'false',
    FELIX_IGNORELOOSERPF: 'true',
    // Else the node reaches pods with the address of the machine's own interface.
    FELIX_DEVICEROUTESOURCEADDRESS: settings.nodeIp,
    FELIX_HEALTHENABLED: 'true',
    FELIX_HEALTHHOST: '127.0.0.1',
    FELIX_HEALTHPORT: String(settings.ports.felixHealth),
    FELIX_IPTABLESREFRESHINTERVAL: '60',
  };
}
