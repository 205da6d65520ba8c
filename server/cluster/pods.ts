export interface ContainerInfo {
  readonly name: string;
  readonly image: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly state: 'waiting' | 'running' | 'terminated' | 'unknown';
  /** e.g. `CrashLoopBackOff`. */
  readonly reason?: string;
  /** Untrusted text, sanitized and capped. */
  readonly message?: string;
  readonly exitCode?: number;
  /** Reason of the last end of it, e.g. `OOMKilled`. */
  readonly lastReason?: string;
  readonly lastExitCode?: number;
}

export interface PodInfo {
  readonly name: string;
  /** The tentacle that it belongs to; absent for pods that are not ours. */
  readonly tentacle?: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly restarts: number;
  readonly node?: string;
  readonly ip?: string;
  readonly version?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Why it is not ready, in a word (`Unschedulable`, `CrashLoopBackOff`, `Evicted`). */
  readonly reason?: string;
  /** Untrusted text, sanitized and capped. */
  readonly message?: string;
  /** Init containers first. */
  readonly containers: readonly ContainerInfo[];
}
