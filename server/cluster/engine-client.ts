import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { isEnclaveName, isTentacleName } from '../../constructs/model/names.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { noTentacle } from './diff.ts';
import { engineRefusal } from './engine-refusal.ts';
import { type EngineAnswer, type EngineRequest, ServiceTransport, sendOver } from './engine-transport.ts';
import { isOf } from './live-set.ts';
import { pause } from './pause.ts';
import { listPods } from './pods.ts';
import { openPortForward } from './port-forward.ts';

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
  /** Of the call that the run is made for: ends the waiting early, and names the caller to the API server. */
  readonly call?: EngineCall;
}

/** What a call to an engine takes from the call of the tool that it is made for. */
type EngineCall = Pick<CallOptions, 'signal' | 'userAgent'>;

export interface LookOptions {
  /** Default 5 000. */
  readonly timeoutMs?: number;
  readonly call?: EngineCall;
}

/** What the engine said of a run (engine.md); outputs are the workflow's own, untrusted data. */
export interface RunReply {
  /** Absent while an asynchronous run is under way. */
  readonly success?: boolean;
  readonly runId: string;
  readonly outputs?: JsonValue;
  /** `outputs` is the beginning of their JSON text: the engine keeps no more of a run that it has answered. */
  readonly outputsTruncated?: boolean;
  /** The run id was seen before: nothing ran, this is the result of then. */
  readonly repeated?: boolean;
  readonly durationMs?: number;
  readonly nodes?: readonly JsonValue[];
  /** Where a run failed: the node and its message. A failed run is a reply, not an exception. */
  readonly error?: JsonObject;
  readonly accepted: boolean;
  readonly podName?: string;
}

/**
 * Calls an engine. Rejects with `not_found` (no such tentacle), `unavailable` (no ready pod, draining, too many
 * runs: retryable), `invalid_input` (what it refuses to take), `timeout`, `cluster_error` (no engine's answer).
 */
export interface EngineClient {
  run(target: EngineTarget, request: RunRequest): Promise<RunReply>;
  /** `{status: "ok"}`, with `detail` the counters of engine.md. */
  health(target: EngineTarget, options?: LookOptions & { readonly detail?: boolean }): Promise<JsonObject>;
  /** The last runs that the engine remembers, newest first. */
  runs(target: EngineTarget, options?: LookOptions & { readonly limit?: number }): Promise<readonly JsonObject[]>;
  /** One run; undefined where the engine does not remember it. */
  findRun(target: EngineTarget, runId: string, options?: LookOptions): Promise<JsonObject | undefined>;
}

const enginePort = 8080;
const defaultRunMs = 120_000;
const defaultLookMs = 5_000;

export type EngineRoute =
  /** By the Service's name: inside the cluster. */
  | { readonly kind: 'service' }
  /** Through the API server to a ready pod: outside. */
  | { readonly kind: 'port-forward' }
  /** To an address that is told: tests, and engines on a laptop. */
  | { readonly kind: 'origin'; readonly originOf: (target: EngineTarget) => string };

/** A client for the engines of tentacles, and how to end it. */
export function createEngineClient(
  context: Pick<Context, 'client'>,
  route: EngineRoute,
): EngineClient & { close(): Promise<void> } {
  const services = new ServiceTransport();

  const send = async (target: EngineTarget, request: EngineRequest, call: EngineCall): Promise<EngineAnswer> => {
    if (!isEnclaveName(target.enclave) || !isTentacleName(target.name)) throw noTentacle(target.enclave, target.name);
    if (route.kind === 'origin') return services.send(route.originOf(target), request);
    if (route.kind === 'service') {
      return services.send(`http://${target.name}.${target.enclave}.svc:${enginePort}`, request);
    }
    const kube = { ...call, signal: request.signal };
    const pods = await listPods(context, target.enclave, target.name, kube);
    const pod = pods.find((p) => p.ready && !p.terminating);
    if (!pod) throw noReadyPod(target);
    const place = { namespace: target.enclave, pod: pod.name, port: enginePort };
    return sendOver(await openPortForward(context.client.transport, place, kube), pod.name, request);
  };

  const ask = async (
    target: EngineTarget,
    request: Omit<EngineRequest, 'signal'>,
    { timeoutMs, call = {} }: { readonly timeoutMs: number; readonly call?: EngineCall | undefined },
  ): Promise<EngineAnswer> => {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = call.signal ? AbortSignal.any([call.signal, timeout]) : timeout;
    try {
      return await connecting(() => send(target, { ...request, signal }, call), signal);
    } catch (error) {
      if (error instanceof TentacularError && !timeout.aborted) throw error;
      if (timeout.aborted) throw tooSlow(target, timeoutMs, error);
      if (!(await exists(context, target, call))) throw noTentacle(target.enclave, target.name);
      throw unreachable(target, error);
    }
  };

  const look = async (target: EngineTarget, path: string, { timeoutMs = defaultLookMs, call }: LookOptions) => {
    const answer = await ask(target, { method: 'GET', path, headers: {} }, { timeoutMs, call });
    return { answer, body: parse(answer.text) };
  };

  return {
    async run(target, request) {
      const body = request.input === undefined ? {} : { body: JSON.stringify(request.input) };
      const answer = await ask(
        target,
        { method: 'POST', path: '/run', headers: runHeaders(request), ...body },
        { timeoutMs: request.timeoutMs ?? defaultRunMs, call: request.call },
      );
      return runReply(target, request, answer);
    },
    async health(target, options = {}) {
      const { answer, body } = await look(target, options.detail ? '/health?detail=1' : '/health', options);
      if (answer.status === 200 && isJsonObject(body)) return body;
      throw engineRefusal(target, answer, body);
    },
    async runs(target, options = {}) {
      const { answer, body } = await look(target, '/runs', options);
      const listed = isJsonObject(body) ? body.runs : body;
      if (answer.status !== 200 || !Array.isArray(listed)) throw engineRefusal(target, answer, body);
      return listed.filter(isJsonObject).slice(0, options.limit ?? 100);
    },
    async findRun(target, runId, options = {}) {
      const { answer, body } = await look(target, `/runs/${encodeURIComponent(runId)}`, options);
      if (answer.status === 404) return undefined;
      if (answer.status === 200 && isJsonObject(body)) return body;
      throw engineRefusal(target, answer, body);
    },
    close: () => services.close(),
  };
}

/** Pauses between tries to connect, in milliseconds. */
const connectPausesMs = [250, 500, 1_000] as const;
/** No connection came about, so nothing was sent: a try that may be repeated, a run too. */
const notConnected: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * For a moment after a pod has gone, its Service still leads to it: the node's rules follow the pod's end.
 * Tries again only where no connection came about.
 */
async function connecting<T>(send: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const pauseMs of connectPausesMs) {
    try {
      return await send();
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!notConnected.has(code) || signal.aborted) throw error;
      await pause(pauseMs, signal);
    }
  }
  return send();
}

function runHeaders(request: RunRequest): Record<string, string> {
  return {
    'x-tentacular-trigger': request.trigger ?? 'manual',
    ...(request.input === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.runId === undefined ? {} : { 'x-tentacular-run-id': request.runId }),
    ...(request.traceparent === undefined ? {} : { traceparent: request.traceparent }),
    ...(request.async ? { prefer: 'respond-async' } : {}),
  };
}

function parse(text: string): JsonValue | undefined {
  try {
    return text === '' ? undefined : (JSON.parse(text) as JsonValue);
  } catch {
    return undefined;
  }
}

function runReply(target: EngineTarget, request: RunRequest, answer: EngineAnswer): RunReply {
  const body = parse(answer.text);
  const isRun = isJsonObject(body) && typeof body.run_id === 'string';
  if (!isRun || ![200, 202, 500].includes(answer.status)) throw engineRefusal(target, answer, body, request.runId);
  const { run_id, success, outputs, outputs_truncated, repeated, duration_ms, nodes, error } = body;
  return {
    runId: String(run_id),
    accepted: answer.status === 202,
    ...(typeof success === 'boolean' ? { success } : {}),
    ...(outputs === undefined ? {} : { outputs }),
    ...(outputs_truncated === true ? { outputsTruncated: true } : {}),
    ...(repeated === true ? { repeated: true } : {}),
    ...(typeof duration_ms === 'number' ? { durationMs: duration_ms } : {}),
    ...(Array.isArray(nodes) ? { nodes } : {}),
    ...(isJsonObject(error) ? { error } : {}),
    ...(answer.podName === undefined ? {} : { podName: answer.podName }),
  };
}

async function exists(
  { client }: Pick<Context, 'client'>,
  { enclave, name }: EngineTarget,
  call: EngineCall,
): Promise<boolean> {
  const found = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name }, call);
  return found !== undefined && isOf(found, enclave, name);
}

function noReadyPod({ enclave, name }: EngineTarget): TentacularError {
  return new TentacularError('unavailable', `No pod of "${name}" in "${enclave}" is ready`, {
    hint: 'Look at wf_status with detail, and at wf_logs.',
  });
}

function unreachable({ enclave, name }: EngineTarget, cause: unknown): TentacularError {
  return new TentacularError('unavailable', `The engine of "${name}" in "${enclave}" cannot be reached`, {
    hint: 'Look at wf_status: no pod may be ready.',
    cause,
  });
}

function tooSlow({ enclave, name }: EngineTarget, timeoutMs: number, cause: unknown): TentacularError {
  const seconds = Math.round(timeoutMs / 1000);
  return new TentacularError('timeout', `The engine of "${name}" in "${enclave}" gave no answer within ${seconds} s`, {
    hint: 'The run may still be under way: look at wf_runs, or run it with async.',
    cause,
  });
}
