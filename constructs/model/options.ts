/** How pods reach the cluster's DNS: by the labels of its pods, or by address where it runs on the host. */
export interface DnsOptions {
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly podLabels?: Readonly<Record<string, string>>;
  /** Addresses instead of labels (NodeLocal DNSCache: `169.254.20.10/32`). */
  readonly cidrs?: readonly string[];
  /** The port that the pod listens on: 53, or 5353 on OpenShift. Default 53. */
  readonly port?: number;
}

export interface ModuleProxyOptions {
  readonly kind: 'registry' | 'esm';
  /** URL as a pod sees it, e.g. `http://module-proxy.tentacular-support.svc.cluster.local:4873`. */
  readonly url: string;
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
  /** The pod's port, after the Service's translation. */
  readonly port: number;
}

export interface OtlpOptions {
  readonly endpoint: string;
  readonly namespace: string;
  readonly port: number;
}

/** Where one backing service is reached; credentials are never here. */
export interface BackingServiceOptions {
  readonly host: string;
  readonly port: number;
  /** The pod's port where it differs from `port`. */
  readonly targetPort?: number;
  /** Address range where the host is a private one outside the cluster. */
  readonly cidr?: string;
}

export interface Toleration {
  readonly key?: string;
  readonly operator?: 'Exists' | 'Equal';
  readonly value?: string;
  readonly effect?: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
  readonly tolerationSeconds?: number;
}

/**
 * Every input of rendering that is not the source. One object, one digest, the same for the server and for
 * `cdk8s synth`; `tntc cluster profile --save` writes it.
 */
export interface RendererOptions {
  /** Engine image, e.g. `registry.example.com/tentacular-engine:0.1.0`. */
  readonly engineImage: string;
  /** Images that a workflow may name in `deployment.image`: exact, or a prefix ending in `*`. Default: the engine image only. */
  readonly allowedEngineImages?: readonly string[];
  /** Images that a sidecar may use: exact, or a prefix ending in `*`. Default: any. */
  readonly allowedSidecarImages?: readonly string[];
  /** Default: none. `gvisor` where the cluster has it. */
  readonly runtimeClassName?: string;
  /** The control plane: who may call port 8080 and who is bound to the enclave's ClusterRole. */
  readonly controlPlane: {
    readonly namespace: string;
    readonly serviceAccount: string;
    readonly podLabels: Readonly<Record<string, string>>;
    /** ClusterRole that an enclave's RoleBinding binds. Default `tentacular-enclave`. */
    readonly enclaveClusterRole?: string;
  };
  readonly dns: DnsOptions;
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly nodeCidrs: readonly string[];
  /** Addresses of the API server that a contract may not name. */
  readonly apiServerCidrs?: readonly string[];
  readonly moduleProxy?: ModuleProxyOptions;
  readonly otlp?: OtlpOptions;
  readonly exoskeleton?: {
    readonly postgres?: BackingServiceOptions;
    readonly nats?: BackingServiceOptions;
    readonly rustfs?: BackingServiceOptions;
  };
  readonly imagePullSecrets?: readonly string[];
  /** `IfNotPresent` unless set; the embedded cluster uses `Never`-pulled imported images through this. */
  readonly imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  /** Version of the Pod Security Standards that enclaves pin, e.g. `v1.30`. Default: the oldest Kubernetes we support, v1.30. */
  readonly podSecurityVersion?: string;
}
