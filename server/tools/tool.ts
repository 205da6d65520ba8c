import type { ClientIdentity, Principal } from '../../constructs/model/principal.ts';
import type { ToolApis, ToolInput, ToolName, ToolOutput } from '../api/tools.ts';
import type { CallOptions } from '../cluster/index.ts';
import type { Admission } from './admission.ts';

/** What a client may assume about a tool; all four explicit (MCP tool annotations). */
export interface ToolAnnotations {
  readonly readOnlyHint: boolean;
  readonly destructiveHint: boolean;
  readonly idempotentHint: boolean;
  readonly openWorldHint: boolean;
}

/** What one call brings along besides its arguments. */
export interface CallContext {
  readonly principal: Principal;
  readonly client: ClientIdentity | undefined;
  /** W3C trace id, 32 hexadecimal characters: joins the call with log, audit record and engine. */
  readonly traceId: string;
  /** Aborted when the caller has gone, or the server must stop: work ends, waiting ends. */
  readonly signal: AbortSignal;
  /** For every request to the Kubernetes API on behalf of this call: its signal, and who asks under which id. */
  readonly kube: CallOptions;
  /** Tells the caller how far the work is, if he asked for it. */
  progress(message: string): void;
  /** Decides whether this caller may; every handler passes here before it touches the cluster. */
  readonly admission: Admission;
}

/** A tool as data. Registration, validation, errors and audit are the same for all of them. */
export interface Tool<N extends ToolName = ToolName> {
  readonly name: N;
  readonly title: string;
  /** When to use it and when not; under 2 KiB. */
  readonly description: string;
  readonly input: ToolApis[N]['input'];
  readonly output: ToolApis[N]['output'];
  readonly annotations: ToolAnnotations;
  /** A call may last more than a few seconds: it is answered as an event stream. */
  readonly mayLast: boolean;
  run(input: ToolInput<N>, context: CallContext): Promise<ToolOutput<N>>;
}
