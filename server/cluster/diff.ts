import type { ApplyRequest } from './apply.ts';
import type { CallOptions } from './call.ts';
import type { FieldConflict } from './conflict.ts';

/** As an apply; the stamps are not needed since a diff leaves them out. */
export type DiffRequest = Pick<ApplyRequest, 'rendered' | 'secrets' | 'call'>;

export interface ObjectDiff {
  /** `Kind/namespace/name`. */
  readonly object: string;
  readonly kind: string;
  readonly name: string;
  readonly action: 'create' | 'update' | 'prune' | 'unchanged';
  /** Unified diff, live against what a server-side dry run would make of it; absent where nothing changes. Capped. */
  readonly diff?: string;
  /** Of a Secret: per service, never a value. */
  readonly secret?: Readonly<Record<string, 'same' | 'changed' | 'added' | 'removed'>>;
}

export interface DiffResult {
  readonly objects: readonly ObjectDiff[];
  /** True where an apply would write or prune anything. */
  readonly changed: boolean;
  /** sha256 over the source and the live objects (tools.md, wf_diff); `ApplyRequest.plan` takes it. */
  readonly plan: string;
  /** Live revision; 0 where the tentacle does not exist. */
  readonly revision: number;
  readonly conflicts: readonly FieldConflict[];
}

/** The live objects against the set that the live revision stored. */
export interface DriftResult {
  readonly revision: number;
  readonly drifted: boolean;
  readonly objects: readonly ObjectDiff[];
  /** Each field that no longer has the stored value, with its present owner. */
  readonly fields: readonly FieldConflict[];
}

export interface DriftRequest {
  readonly enclave: string;
  readonly name: string;
  readonly call?: CallOptions;
}
