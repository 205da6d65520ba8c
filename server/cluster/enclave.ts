import type { Manifest } from '../../constructs/model/manifest.ts';
import type { ObjectOutcome } from './outcome.ts';

export interface ProvisionResult {
  /** False where the enclave was there already with the same owner. */
  readonly created: boolean;
  /** The Namespace as the API server returned it. */
  readonly namespace: Manifest;
  readonly resources: readonly ObjectOutcome[];
}

export interface DeprovisionResult {
  /** Names of the tentacles that went (with `dryRun`: would go) with the namespace. */
  readonly tentacles: readonly string[];
  /** False where the namespace was still terminating when the wait ended. */
  readonly namespaceDeleted: boolean;
}
