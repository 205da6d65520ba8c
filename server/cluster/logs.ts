import type { CallOptions } from './call.ts';

export interface LogQuery {
  readonly enclave: string;
  /** Logs of every pod of this tentacle; or give `pod`. */
  readonly name?: string;
  readonly pod?: string;
  /** Default: all containers of the pods. */
  readonly container?: string;
  /** Last lines of each container, 1-5000. Default 100. */
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** The run of the container before its last restart. */
  readonly previous?: boolean;
  /** Only lines that contain this text (not a pattern). */
  readonly grep?: string;
  /** Most bytes read of each container. Default 256 KiB. */
  readonly limitBytes?: number;
  readonly call?: CallOptions;
}

export interface LogResult {
  /** Untrusted text: sanitized (control and zero-width characters gone), each line capped. */
  readonly lines: readonly { readonly pod: string; readonly container: string; readonly line: string }[];
  /** True where a cap cut something off. */
  readonly truncated: boolean;
  /** Containers without logs to give, with the reason (not started yet, no previous run). */
  readonly missing: readonly { readonly pod: string; readonly container: string; readonly reason: string }[];
}
