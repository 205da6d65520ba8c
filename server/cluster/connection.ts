/** How the API server is reached. */
export type Connection =
  /** The pod's own ServiceAccount: token (rotates, re-read) and CA from `folder`. */
  | { readonly kind: 'in-cluster'; readonly host: string; readonly port: number; readonly folder?: string }
  /** A named context of a kubeconfig (credential plugins work); never the current context by itself. */
  | { readonly kind: 'context'; readonly context: string; readonly kubeconfig?: string }
  | DirectConnection;

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
