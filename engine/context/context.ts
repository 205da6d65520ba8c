import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Workflow } from '../../constructs/workflow/workflow.ts';
import type { Context, NodeLog, TriggerInfo } from '../api.ts';
import type { TraceContext } from '../trace/context.ts';
import { dependencyHandle } from './dependency.ts';
import type { Secrets } from './secrets.ts';

/** What every context of an engine shares. */
export interface ContextSetting {
  readonly workflow: Workflow;
  readonly enclave: string;
  readonly tentacle: string;
  readonly version: string;
  readonly secrets: Secrets;
  readonly fetch: typeof globalThis.fetch;
}

/** What every context of a run shares. */
export interface ContextRun {
  readonly runId: string;
  readonly trigger: TriggerInfo;
  /** JSON text. */
  readonly inputText: string;
  readonly trace?: TraceContext;
}

export type ContextFactory = (node: string, attempt: number, signal: AbortSignal, log: NodeLog) => Context;

/** Makes the contexts of one run. */
export function contextFactory(setting: ContextSetting, run: ContextRun): ContextFactory {
  const { workflow, enclave, tentacle, version, secrets, fetch } = setting;
  const { runId, trigger, inputText, trace } = run;
  const config = frozen(structuredClone(workflow.config.values));
  const headers = traceHeaders(trace);
  return (node, attempt, signal, log) => ({
    node,
    runId,
    attempt,
    trigger,
    enclave,
    tentacle,
    version,
    config,
    signal,
    log,
    ...(trace === undefined ? {} : { traceparent: trace.traceparent }),
    // A copy for each reading: few nodes look at it, and none may see what another did to it.
    get input(): JsonValue {
      return JSON.parse(inputText);
    },
    dependency: (name) => dependencyHandle(name, { workflow, secrets, signal, headers, fetch }),
  });
}

function traceHeaders(trace: TraceContext | undefined): readonly (readonly [string, string])[] {
  if (trace === undefined) return [];
  const parent = ['traceparent', trace.traceparent] as const;
  return trace.tracestate === undefined ? [parent] : [parent, ['tracestate', trace.tracestate]];
}

function frozen(value: JsonObject): JsonObject {
  freeze(value);
  return value;
}

function freeze(value: JsonValue | undefined): void {
  if (Array.isArray(value)) value.forEach(freeze);
  else if (isJsonObject(value)) Object.values(value).forEach(freeze);
  else return;
  Object.freeze(value);
}
