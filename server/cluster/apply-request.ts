import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';
import type { OnConflict } from './apply-object.ts';
import type { CallOptions } from './call.ts';
import type { FieldConflict } from './conflict.ts';
import type { ObjectOutcome } from './outcome.ts';
import type { ApplyStamps } from './stamps.ts';

export interface ApplyRequest {
  readonly rendered: RenderedTentacle;
  /** Stored in the revision beside the set. */
  readonly options: RendererOptions;
  /** Stored in the revision, e.g. `tentacular/0.1.0`. */
  readonly rendererVersion: string;
  readonly stamps: ApplyStamps;
  readonly git?: { readonly sha?: string; readonly url?: string };
  /** By service: an object replaces that service's key, null removes it, absent leaves it untouched. */
  readonly secrets?: Readonly<Record<string, JsonObject | null>>;
  /** Compares and reports, writes nothing. */
  readonly dryRun?: boolean;
  /** `conflict` if the live revision is another one (0 = must not exist yet). */
  readonly expectedRevision?: number;
  /** Token of a `diff`; `stale_plan` if source or cluster have moved since. */
  readonly plan?: string;
  /** Default `fail`. */
  readonly onConflict?: OnConflict;
  /** The Deployment as `Cluster.deployment` has just told it: saves reading it again. */
  readonly seen?: { readonly deployment: Manifest | undefined };
  /**
   * Asked over the Deployment as it was read last, each time before something is written onto it (undefined: it is to
   * be created), since it may have become somebody else's meanwhile. Throws where the caller may not.
   */
  readonly admit?: (deployment: Manifest | undefined) => void;
  readonly call?: CallOptions;
}

export interface ApplyResult {
  /** With `dryRun`: what it would be. */
  readonly status: 'created' | 'updated' | 'unchanged';
  /** Every object of the set (the Secret too where secrets were given), in the order of writing. */
  readonly applied: readonly ObjectOutcome[];
  readonly pruned: readonly ObjectOutcome[];
  /** The live revision after the call; with `dryRun` the one that a real call would write. */
  readonly revision: number;
  readonly specHash: string;
  /** Services that the contract names and that have no key in `<name>-secrets` (nor in `secrets`), sorted. */
  readonly missingSecrets: readonly string[];
  /** Fields left to their owners by `onConflict: keep`. */
  readonly kept: readonly FieldConflict[];
  /** True where an apply that had been interrupted was completed. */
  readonly resumed: boolean;
  /** The Deployment as the API server returned it; absent with `dryRun` of a new tentacle. */
  readonly deployment?: Manifest;
}
