import type { CallOptions } from './call.ts';
import type { ObjectOutcome } from './outcome.ts';

export interface RemoveRequest {
  readonly enclave: string;
  readonly name: string;
  /** The revisions and the code that they name stay. Default false. */
  readonly keepHistory?: boolean;
  /** Lists exactly what would go, deletes nothing. */
  readonly dryRun?: boolean;
  /** Waits until no pod is left, at most this long. Default 0: does not wait. */
  readonly waitMs?: number;
  readonly call?: CallOptions;
}

export interface RemoveResult {
  /** What went (with `dryRun`: what would), in order. Empty where there was nothing: removing twice is no error. */
  readonly deleted: readonly ObjectOutcome[];
  /** False where pods were still ending when `waitMs` was over. */
  readonly podsGone: boolean;
}
