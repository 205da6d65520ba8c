/** Every binary of the embedded cluster. */
export const binaryNames = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
  'calico-felix',
  'calico-cni',
  'coredns',
  'helm',
] as const;

export type BinaryName = (typeof binaryNames)[number];

/** A file that a project publishes for a platform. */
export interface ReleaseFile {
  readonly url: string;
  /** Where the project publishes its sha256: the bare sum, or lines `<sum>  <file name>`. */
  readonly checksumUrl: string;
  /** Path of the binary inside, where the file is a tar.gz. Absent: the file is the binary. */
  readonly member?: string;
}

export interface GoBuild {
  readonly module: string;
  readonly moduleVersion: string;
  /** Import path of the main package. */
  readonly package: string;
  /** `-X` assignments of the linker, by variable. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Version for a module that its go.mod replaces by a folder of its own repository (which the module proxy does not carry). */
  readonly localReplacement?: (module: string) => string | undefined;
  /** Files of the module that are kept beside the binary. */
  readonly files?: readonly string[];
}

export interface BinarySpec {
  readonly name: BinaryName;
  /** Binaries of one tool share a folder of the cache. */
  readonly tool: string;
  readonly version: string;
  /** When one that is installed may be used. Absent: never. */
  readonly installed?: { readonly range: string; readonly versionArgs: readonly string[] };
  /** Absent: the project publishes no such file. */
  readonly release?: (architecture: string) => ReleaseFile;
  readonly build: GoBuild;
}

const KUBERNETES = 'v1.34.3';
const ETCD = 'v3.6.6';
const COREDNS = 'v1.12.4';
const HELM = 'v3.21.4';
/** The tip of Calico's v3.28 branch; the Go module proxy has no tagged release of it. */
const CALICO_MODULE = 'v1.11.0-cni-plugin.0.20250813170300-a0db560f0520';
const CALICO = 'v3.28.5-a0db560f0520';

const kubernetesLibraries = KUBERNETES.replace('v1.', 'v0.');

function kubernetes(name: BinaryName, versionArgs: readonly string[] = ['--version']): BinarySpec {
  const [major = '', minor = ''] = KUBERNETES.slice(1).split('.');
  return {
    name,
    tool: 'kubernetes',
    version: KUBERNETES,
    installed: { range: `~${KUBERNETES.slice(1)}`, versionArgs },
    release: (architecture) => {
      const url = `https://dl.k8s.io/release/${KUBERNETES}/bin/linux/${architecture}/${name}`;
      return { url, checksumUrl: `${url}.sha256` };
    },
    build: {
      module: 'k8s.io/kubernetes',
      moduleVersion: KUBERNETES,
      package: `k8s.io/kubernetes/cmd/${name}`,
      variables: {
        'k8s.io/component-base/version.gitVersion': KUBERNETES,
        'k8s.io/component-base/version.gitMajor': major,
        'k8s.io/component-base/version.gitMinor': minor,
        'k8s.io/client-go/pkg/version.gitVersion': KUBERNETES,
      },
      localReplacement: (module) => (module.startsWith('k8s.io/') ? kubernetesLibraries : undefined),
    },
  };
}

function calico(name: BinaryName, path: string): BinarySpec {
  return {
    name,
    tool: 'calico',
    version: CALICO,
    // No release: Calico publishes Felix and its CNI plugin inside container images only.
    build: {
      module: 'github.com/projectcalico/calico',
      moduleVersion: CALICO_MODULE,
      package: `github.com/projectcalico/calico/${path}`,
      localReplacement: (module) =>
        module === 'github.com/projectcalico/api' ? 'v0.0.0-20240708202104-e3f70b269c2c' : undefined,
      files: ['manifests/crds.yaml', 'manifests/canal.yaml'],
    },
  };
}

/** The pins: one version each, and every way to come by it. */
export const catalog: Readonly<Record<BinaryName, BinarySpec>> = {
  etcd: {
    name: 'etcd',
    tool: 'etcd',
    version: ETCD,
    installed: { range: '>=3.5.15 <3.7.0', versionArgs: ['--version'] },
    release: (architecture) => {
      const folder = `etcd-${ETCD}-linux-${architecture}`;
      const base = `https://github.com/etcd-io/etcd/releases/download/${ETCD}`;
      return { url: `${base}/${folder}.tar.gz`, checksumUrl: `${base}/SHA256SUMS`, member: `${folder}/etcd` };
    },
    build: { module: 'go.etcd.io/etcd/server/v3', moduleVersion: ETCD, package: 'go.etcd.io/etcd/server/v3' },
  },
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubectl: kubernetes('kubectl', ['version', '--client']),
  'calico-felix': calico('calico-felix', 'felix/cmd/calico-felix'),
  'calico-cni': calico('calico-cni', 'cni-plugin/cmd/calico'),
  coredns: {
    name: 'coredns',
    tool: 'coredns',
    version: COREDNS,
    // Not from PATH: it becomes the only file of an image and so has to be a static binary.
    release: (architecture) => {
      const base = `https://github.com/coredns/coredns/releases/download/${COREDNS}`;
      const url = `${base}/coredns_${COREDNS.slice(1)}_linux_${architecture}.tgz`;
      return { url, checksumUrl: `${url}.sha256`, member: 'coredns' };
    },
    build: { module: 'github.com/coredns/coredns', moduleVersion: COREDNS, package: 'github.com/coredns/coredns' },
  },
  helm: {
    name: 'helm',
    tool: 'helm',
    version: HELM,
    installed: { range: '>=3.16.0 <4.0.0', versionArgs: ['version', '--short'] },
    release: (architecture) => {
      const url = `https://get.helm.sh/helm-${HELM}-linux-${architecture}.tar.gz`;
      return { url, checksumUrl: `${url}.sha256sum`, member: `linux-${architecture}/helm` };
    },
    build: {
      module: 'helm.sh/helm/v3',
      moduleVersion: HELM,
      package: 'helm.sh/helm/v3/cmd/helm',
      variables: {
        'helm.sh/helm/v3/internal/version.version': HELM,
        // What `helm template` takes for the cluster's version: that of Helm's own client-go, as in its releases.
        'helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor': '1',
        'helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor': '36',
      },
    },
  },
};
