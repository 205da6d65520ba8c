/** How the API server is reached. */
export type Connection =
  /** The pod's own ServiceAccount: token (rotates, re-read) and CA from `folder`. */
  | InClusterConnection
  /** A named context of a kubeconfig (credential plugins work); never the current context by itself. */
  | ContextConnection
  | DirectConnection;

export interface InClusterConnection {
  readonly kind: 'in-cluster';
  /** `KUBERNETES_SERVICE_HOST`. */
  readonly host: string;
  /** `KUBERNETES_SERVICE_PORT`. */
  readonly port: number;
  /** Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string;
}

export interface ContextConnection {
  readonly kind: 'context';
  readonly context: string;
  /** Path of the kubeconfig. Default: what `KUBECONFIG` or `~/.kube/config` say. */
  readonly kubeconfig?: string;
}

export interface DirectConnection {
  readonly kind: 'direct';
  /** `https://127.0.0.1:6443` (or http, in tests). */
  readonly server: string;
  /** PEM. Default: the system's roots. */
  readonly ca?: string;
  /** Bearer token, or a function that is asked before each request. */
  readonly token?: string | (() => string | Promise<string>);
  /** PEM. */
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Expected name in the server's certificate where it differs from the host. */
  readonly serverName?: string;
}

/** What TLS to the API server needs; PEM. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}
