import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';

/** One entry of a tentacle's history. */
export interface RevisionSummary {
  readonly revision: number;
  readonly specHash: string;
  readonly sourceHash: string;
  readonly version: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by?: string;
  readonly via?: string;
  readonly gitSha?: string;
  readonly gitUrl?: string;
  /** False where its apply was interrupted, or superseded before it ended. Only told of the newest ones. */
  readonly finished: boolean;
  /** True for the one that the Deployment carries. */
  readonly live: boolean;
}

export interface StoredRevision extends Omit<RevisionSummary, 'finished' | 'live'> {
  /** The rendered set; the code ConfigMap is there without its data. Never a Secret. */
  readonly manifests: readonly Manifest[];
  readonly rendererOptions: JsonObject;
  readonly rendererVersion: string;
}
