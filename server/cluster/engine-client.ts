import type { JsonObject, JsonValue } from '../../constructs/model/json.ts';

/** A tentacle whose engine is called: its Service in the cluster, a forwarded port of a ready pod outside. */
export interface EngineTarget {
  readonly enclave: string;
  readonly name: string;
}

export interface RunRequest {
  /** Input for the root nodes; absent = empty body. */
  readonly input?: JsonValue;
  /** Sent as `x-tentacular-run-id`; an id that was seen before answers with the first run's result. */
  readonly runId?: string;
  /** `manual`, `cron:<name>`, `queue:<subject>`. Default `manual`. */
  readonly trigger?: string;
  /** W3C trace context. */
  readonly traceparent?: string;
  /** Answers at once with the run id. */
  readonly async?: boolean;
  /** Default 120 000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the engine said of a run (engine.md); outputs are the workflow's own, untrusted data. */
export interface RunReply {
  /** Absent while an asynchronous run is under way. */
  readonly success?: boolean;
  readonly runId: string;
  readonly outputs?: JsonValue;
  readonly durationMs?: number;
  readonly nodes?: readonly JsonValue[];
  /** Where a run failed: the node and its message. A failed run is a reply, not an exception. */
  readonly error?: JsonObject;
  readonly accepted: boolean;
  readonly podName?: string;
}

/**
 * Calls an engine. Rejects with `not_found` (no such tentacle), `unavailable` (no ready pod, draining, too many
 * runs: retryable), `invalid_input` (body too large), `timeout`, `cluster_error` (an answer that is no engine's).
 */
export interface EngineClient {
  run(target: EngineTarget, request: RunRequest): Promise<RunReply>;
  /** `{status: "ok"}`, with `detail` the counters of engine.md. */
  health(
    target: EngineTarget,
    options?: { readonly detail?: boolean; readonly timeoutMs?: number },
  ): Promise<JsonObject>;
  /** The last runs that the engine remembers, newest first. */
  runs(
    target: EngineTarget,
    options?: { readonly limit?: number; readonly timeoutMs?: number },
  ): Promise<readonly JsonObject[]>;
  /** One run; undefined where the engine does not remember it. */
  findRun(
    target: EngineTarget,
    runId: string,
    options?: { readonly timeoutMs?: number },
  ): Promise<JsonObject | undefined>;
}
