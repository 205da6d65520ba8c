/** What a caller may set on each call to the Kubernetes API. */
export interface CallOptions {
  /** Ends the call early; the promise then rejects with `unavailable` (cancelled by the caller). */
  readonly signal?: AbortSignal;
  /** Deadline of the call with its retries, in milliseconds. Default 15 000. */
  readonly timeoutMs?: number;
  /** Sent as User-Agent, so that the API server's audit log names the caller. Default: the cluster's own. */
  readonly userAgent?: string;
}

/** One HTTP request that was sent to the API server (each retry counts): for metrics and for tests. */
export interface RequestRecord {
  readonly verb: 'get' | 'list' | 'watch' | 'create' | 'apply' | 'delete' | 'log' | 'other';
  /** Plural resource with its group, e.g. `deployments.apps`, `configmaps`, `pods/log`. */
  readonly resource: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  readonly durationMs: number;
  readonly dryRun: boolean;
}
