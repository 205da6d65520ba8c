import type { Manifest } from '../../constructs/model/manifest.ts';

/**
 * Deployments and Namespaces of ours, held by watches: for reads and for decisions over reads, never over writes.
 * Objects are trimmed (no managedFields, no pod template but images).
 */
export interface ClusterCache {
  /** Starts the watches; resolves when both are filled or the deadline (default 10 000 ms) has passed. */
  start(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** True once both have been filled. */
  readonly ready: boolean;
  /** Milliseconds since the API server was last heard of on the staler watch; Infinity before `ready`. */
  readonly staleMs: number;
  /** Namespaces that are enclaves, sorted by name. */
  enclaves(): readonly Manifest[];
  enclave(name: string): Manifest | undefined;
  /** Deployments of tentacles, sorted by namespace and name; of one enclave where named. */
  deployments(enclave?: string): readonly Manifest[];
  deployment(enclave: string, name: string): Manifest | undefined;
  stop(): void;
}
