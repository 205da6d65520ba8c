import type { CallToolResult } from '@modelcontextprotocol/server';
import { type ErrorCode, TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { ClientIdentity, Principal } from '../../constructs/model/principal.ts';
import type { AuthzPolicy } from '../authz/policy.ts';
import { type AuditSink, auditRecord, namedIn } from '../telemetry/audit.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type AdmissionCluster, type AdmissionRecord, createAdmission } from '../tools/admission.ts';
import type { Tool } from '../tools/tool.ts';
import { parseInput } from './input.ts';
import { errorResult, successResult } from './result.ts';
import { userAgentOf } from './user-agent.ts';

export interface CallDependencies {
  readonly cluster: AdmissionCluster;
  /** What the installation decides about permissions. */
  readonly policy: AuthzPolicy;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly audit: AuditSink;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Ids of calls: unique, and not for the caller to choose. */
  readonly newId: () => string;
  readonly version: string;
}

/** One call of a tool, as it came out of the protocol. */
export interface ToolCall {
  readonly arguments: JsonValue;
  readonly principal: Principal;
  readonly client: ClientIdentity | undefined;
  readonly traceId: string;
  readonly signal: AbortSignal;
  progress(message: string): void;
}

interface Ending {
  readonly result: CallToolResult;
  readonly outcome: 'ok' | ErrorCode;
  readonly admission: AdmissionRecord;
}

/** Validates, runs, answers; counts it, and leaves exactly one audit record. Never rejects. */
export async function callTool(tool: Tool, call: ToolCall, deps: CallDependencies): Promise<CallToolResult> {
  const startedAt = deps.now();
  const callId = deps.newId();
  deps.metrics.callStarted();
  const ending = await perform(tool, call, { ...deps, callId });
  deps.metrics.callEnded();
  const durationMs = Math.max(0, deps.now() - startedAt);
  deps.metrics.call(tool.name, ending.outcome, durationMs / 1000);
  writeAudit(tool.name, call, deps, { ending, durationMs, callId });
  return ending.result;
}

/** A call of what is no tool never gets as far as one, and is in the audit stream all the same: somebody tried. */
export function recordUnknownTool(name: string, call: ToolCall, deps: CallDependencies): void {
  const admission = { decision: 'not-judged', reason: 'there is no such tool', ...namedIn(call.arguments) } as const;
  const ending = { outcome: 'invalid_input', admission } as const;
  // In place of a name there may be anything, a secret that went astray too.
  const tool = /^[a-z][a-z0-9_]{0,63}$/.test(name) ? name : 'unknown';
  writeAudit(tool, call, deps, { ending, durationMs: 0, callId: deps.newId() });
}

async function perform(tool: Tool, call: ToolCall, deps: CallDependencies & { callId: string }): Promise<Ending> {
  const { principal, client, traceId, signal } = call;
  const kube = { signal, userAgent: userAgentOf({ version: deps.version, principal, callId: deps.callId }) };
  const admission = createAdmission(deps.cluster, { principal, policy: deps.policy, kube });
  const subject = namedIn(call.arguments);
  const input = parseInput(tool.name, tool.input, call.arguments);
  if (!input.ok) {
    return {
      result: errorResult(input.error),
      outcome: input.error.code,
      admission: { ...refusedInput, ...subject },
    };
  }
  const progress = (message: string) => call.progress(message);
  try {
    const output = await tool.run(input.value, { principal, client, traceId, signal, kube, progress, admission });
    if (admission.record.decision !== 'allowed') throw new Error(`${tool.name} answered without having been admitted`);
    const checked: unknown = tool.output.parse(output);
    if (!isJsonObject(checked)) throw new Error(`${tool.name} answered with no object`);
    return { result: successResult(checked), outcome: 'ok', admission: { ...subject, ...admission.record } };
  } catch (error) {
    const known = knownError(error, { tool, call, log: deps.log });
    return { result: errorResult(known), outcome: known.code, admission: { ...subject, ...admission.record } };
  }
}

const refusedInput = { decision: 'not-judged', reason: 'the arguments are invalid' } as const;

/** Errors of ours as they are; anything else is a fault of the server: logged in full, told without its inside. */
function knownError(error: unknown, { tool, call, log }: { tool: Tool; call: ToolCall; log: Logger }): TentacularError {
  if (error instanceof TentacularError) return error;
  if (call.signal.aborted) {
    return new TentacularError('unavailable', 'The call was ended before it was over.', {
      hint: 'Call again; what was done already is taken up, not done twice.',
    });
  }
  log.error({ tool: tool.name, trace_id: call.traceId, ...errorFields(error) }, 'a tool failed unexpectedly');
  return new TentacularError('cluster_error', `${tool.name} failed for a reason inside the server.`, {
    hint: `Report it with the trace id ${call.traceId}; the log of the server holds the cause.`,
  });
}

function writeAudit(
  tool: string,
  call: ToolCall,
  deps: CallDependencies,
  { ending, durationMs, callId }: { ending: Omit<Ending, 'result'>; durationMs: number; callId: string },
): void {
  const { outcome, admission } = ending;
  deps.audit(auditRecord({ ...call, tool, callId }, { ...admission, outcome, at: deps.now(), durationMs }));
}
