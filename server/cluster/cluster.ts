import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RenderedEnclave } from '../../constructs/source.ts';
import type { Annotated, AnnotateOptions } from './annotate.ts';
import type { ApplyRequest, ApplyResult } from './apply-request.ts';
import type { ClusterCache } from './cache.ts';
import type { CallOptions, RequestRecord } from './call.ts';
import type { Connection } from './connection-kinds.ts';
import type { DiffRequest, DiffResult } from './diff.ts';
import type { DriftRequest, DriftResult } from './drift.ts';
import type { DeprovisionOptions, DeprovisionResult, ProvisionResult } from './enclave.ts';
import type { EngineClient, EngineRoute } from './engine-client.ts';
import type { EventInfo } from './events.ts';
import type { LogQuery, LogResult } from './logs.ts';
import type { ObjectOutcome } from './outcome.ts';
import type { PodInfo } from './pods.ts';
import type { Reader } from './reader.ts';
import type { RemoveRequest, RemoveResult } from './remove.ts';
import type { RestartOptions } from './restart.ts';
import type { RevisionSummary, StoredRevision } from './revisions.ts';
import type { EnclaveStamps } from './stamps.ts';
import type { RolloutState, WaitOptions } from './wait.ts';
import type { Writer } from './writer.ts';

export interface ClusterConfig {
  readonly connection: Connection;
  /** Default `tentacular/<version>`. */
  readonly userAgent?: string;
  /** Counts every request sent, for metrics and tests. */
  readonly onRequest?: (record: RequestRecord) => void;
  /** How engines are reached. Default: by Service inside the cluster, by port-forward outside. */
  readonly engineRoute?: EngineRoute;
  /** Milliseconds since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** [0, 1), for jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** Every way in which the server touches the cluster. Methods reject with TentacularError and nothing else. */
export interface Cluster {
  readonly reader: Reader;
  readonly writer: Writer;
  readonly cache: ClusterCache;
  readonly engine: EngineClient;

  /** The Namespace of an enclave, read live; undefined where there is none or it is not ours. */
  enclave(name: string, call?: CallOptions): Promise<Manifest | undefined>;
  /** The Deployment of a tentacle, read live; undefined where there is none or it is not ours. */
  deployment(enclave: string, name: string, call?: CallOptions): Promise<Manifest | undefined>;

  /** `conflict` where a namespace of that name exists that is not ours, or has another owner. */
  provision(rendered: RenderedEnclave, stamps: EnclaveStamps, call?: CallOptions): Promise<ProvisionResult>;
  /** Brings the objects in an enclave, not its Namespace, into line with a rendering. */
  updateEnclaveParts(rendered: RenderedEnclave, call?: CallOptions): Promise<readonly ObjectOutcome[]>;
  /** Deletes the namespace with all that is in it and waits until it is gone. `not_found` where it is not ours. */
  deprovision(name: string, options?: DeprovisionOptions): Promise<DeprovisionResult>;

  /**
   * Changes annotations of an enclave's Namespace: `change` is told the live object and returns those to set, again
   * whenever somebody else was faster. `not_found` where it is not ours; `conflict` over what other managers own.
   */
  annotateEnclave(
    name: string,
    change: (live: Manifest) => Readonly<Record<string, string>>,
    options?: AnnotateOptions,
  ): Promise<Annotated>;
  /** The same for the Deployment of a tentacle. */
  annotateDeployment(
    tentacle: { readonly enclave: string; readonly name: string },
    change: (live: Manifest) => Readonly<Record<string, string>>,
    options?: AnnotateOptions,
  ): Promise<Annotated>;

  /** model.md, "How a set is applied". */
  apply(request: ApplyRequest): Promise<ApplyResult>;
  diff(request: DiffRequest): Promise<DiffResult>;
  /** `not_found` where the tentacle has no live revision. */
  drift(request: DriftRequest): Promise<DriftResult>;
  remove(request: RemoveRequest): Promise<RemoveResult>;
  /** Rolling restart. */
  restart(enclave: string, name: string, options?: RestartOptions): Promise<Manifest>;

  /** Newest first. */
  history(enclave: string, name: string, call?: CallOptions): Promise<readonly RevisionSummary[]>;
  revision(enclave: string, name: string, revision: number, call?: CallOptions): Promise<StoredRevision | undefined>;
  /** The code ConfigMap that a set names (`<name>-code-<hash>`); undefined where it is gone, or of another tentacle. */
  code(
    place: { readonly enclave: string; readonly name: string; readonly configMap: string },
    call?: CallOptions,
  ): Promise<Manifest | undefined>;

  /** One look. */
  rollout(enclave: string, name: string, call?: CallOptions): Promise<RolloutState>;
  /** Waits until current, failed or out of time; never rejects for a failed rollout. */
  wait(enclave: string, name: string, options?: WaitOptions): Promise<RolloutState>;
  /** Sorted by creation, newest first; of one tentacle where named. */
  pods(enclave: string, name?: string, call?: CallOptions): Promise<readonly PodInfo[]>;
  /** Newest first, at most `limit` (default 100); of these tentacles' objects where named. */
  events(
    enclave: string,
    options?: { readonly names?: readonly string[]; readonly limit?: number; readonly call?: CallOptions },
  ): Promise<readonly EventInfo[]>;
  logs(query: LogQuery): Promise<LogResult>;

  /** Is the API server there and does it know us? One cheap request; rejects where not. */
  ping(call?: CallOptions): Promise<void>;
  /** Ends watches and connections. */
  close(): Promise<void>;
}
