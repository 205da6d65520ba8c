import type { CallOptions } from './call.ts';

/** Why a rollout does not get there: told of the newest pod that fails, or of the ReplicaSet that may not make one. */
export interface RolloutFailure {
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `OOMKilled`, `FailedCreate`, `ProgressDeadlineExceeded`, ... */
  readonly reason: string;
  /** The cluster's own words: untrusted text, sanitized and capped. */
  readonly message: string;
  readonly pod?: string;
  readonly container?: string;
  readonly exitCode?: number;
  /** Last lines of the failing container: untrusted text, sanitized and capped. */
  readonly logs?: readonly string[];
}

/** State of a Deployment by the rules of kstatus. */
export interface RolloutState {
  readonly state: 'current' | 'in_progress' | 'failed' | 'not_found';
  /** One plain sentence. */
  readonly message: string;
  readonly revision: number;
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  readonly failure?: RolloutFailure;
  /** True where the deadline came first; the rest is then the state so far. */
  readonly timedOut: boolean;
}

export interface WaitOptions {
  /** Default 120 000. */
  readonly timeoutMs?: number;
  /** Called whenever the state changes, in the order of change. */
  readonly onProgress?: (state: RolloutState) => void;
  readonly call?: Pick<CallOptions, 'signal' | 'userAgent'>;
}
