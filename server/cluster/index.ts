// The public names of server/cluster: the only door to the Kubernetes API and to the engines in the pods.
export type { ApplyRequest, ApplyResult, OnConflict } from './apply.ts';
export type { ClusterCache } from './cache.ts';
export type { CallOptions, RequestRecord } from './call.ts';
export type { Cluster, ClusterConfig } from './cluster.ts';
// export { createCluster } from './create-cluster.ts'; (config: ClusterConfig) => Promise<Cluster>
export type { FieldConflict } from './conflict.ts';
export type { Connection } from './connection.ts';
export type { DiffRequest, DiffResult, DriftResult, ObjectDiff } from './diff.ts';
export type { DeprovisionResult, ProvisionResult } from './enclave.ts';
export type { EngineClient, EngineTarget, RunReply, RunRequest } from './engine-client.ts';
export type { EventInfo } from './events.ts';
export type { LogQuery, LogResult } from './logs.ts';
export type { ObjectOutcome, Outcome } from './outcome.ts';
export type { ContainerInfo, PodInfo } from './pods.ts';
export type { ListQuery, ObjectRef, Reader } from './reader.ts';
export type { RemoveRequest, RemoveResult } from './remove.ts';
export type { RevisionSummary, StoredRevision } from './revisions.ts';
export type { ApplyStamps, EnclaveStamps } from './stamps.ts';
export type { RolloutFailure, RolloutState, WaitOptions } from './wait.ts';
export type { Writer } from './writer.ts';
