import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { wfRun } from '../api/run.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import type { CallOptions, RunReply } from '../cluster/index.ts';
import type { ToolDependencies } from './dependencies.ts';
import { runIdOf } from './run-id.ts';
import { nodeRows, outputJson, type RunSummary } from './run-summary.ts';
import type { CallContext, Tool } from './tool.ts';
import { cleanJson, cleanText, textLimits } from './untrusted.ts';

type Input = ToolInput<'wf_run'>;
type Output = ToolOutput<'wf_run'>;

/** Longest beginning of an output that is too long, in characters. */
const outputHead = 15_000;
/** How long an engine may take to accept an asynchronous run. */
const acceptTimeoutMs = 15_000;

export function runTool(deps: ToolDependencies): Tool<'wf_run'> {
  return {
    name: 'wf_run',
    title: 'Run a tentacle',
    description: [
      'Runs a deployed tentacle now, with JSON input, and returns what it computed. A run may act on the outside world, whatever its workflow does.',
      'A failed run is a result with status failed, the node and its message. Waiting ends after timeout_seconds; for long ones use async: true and read the outcome with wf_runs.',
      'Give an idempotency_key where you may have to repeat the call: the same key never runs twice while the engine lives.',
      'Not for deploying (wf_apply).',
    ].join('\n'),
    ...wfRun,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
    mayLast: true,
    async run(input, context) {
      const { tentacle } = await context.admission.tentacle('wf_run', input.enclave, input.name);
      const runId = input.idempotency_key ? runIdOf(input.idempotency_key, context.principal) : deps.newId();
      const startedAt = new Date(deps.now()).toISOString();
      context.progress(`run ${runId} started`);
      const reply = await replyOrTimeout(deps, input, { runId, context });
      const output = reply === 'timeout' ? stillRunning(input, runId) : outputOf(input, reply);
      await recordRun(deps, input, { tentacle, startedAt, output, kube: context.kube });
      return output;
    },
  };
}

/** The engine's answer; `timeout` where it came first: the run then goes on without us. */
async function replyOrTimeout(
  { cluster }: ToolDependencies,
  input: Input,
  { runId, context }: { runId: string; context: CallContext },
): Promise<RunReply | 'timeout'> {
  try {
    return await cluster.engine.run(
      { enclave: input.enclave, name: input.name },
      {
        ...(input.input === undefined ? {} : { input: input.input as JsonValue }),
        runId,
        trigger: 'manual',
        traceparent: `00-${context.traceId}-${context.traceId.slice(0, 16)}-01`,
        async: input.async,
        timeoutMs: input.async ? acceptTimeoutMs : input.timeout_seconds * 1000,
        call: context.kube,
      },
    );
  } catch (error) {
    if (error instanceof TentacularError && error.code === 'timeout' && !input.async) return 'timeout';
    throw error;
  }
}

function outputOf(input: Input, reply: RunReply): Output {
  const run_id = cleanText(reply.runId, 128);
  if (reply.success === undefined) return { run_id, status: 'accepted', next_step: howToAsk(input, run_id) };
  const nodes = nodeRows(reply.nodes);
  return {
    run_id,
    status: reply.success ? 'succeeded' : 'failed',
    ...(reply.repeated ? { repeated: true } : {}),
    ...describeOutput(reply),
    ...(reply.durationMs === undefined ? {} : { duration_ms: reply.durationMs }),
    ...(reply.podName ? { pod_name: reply.podName } : {}),
    ...(nodes ? { nodes } : {}),
    ...(reply.success ? {} : { error: errorOf(reply) }),
  };
}

function stillRunning(input: Input, run_id: string): Output {
  return {
    run_id,
    status: 'running',
    next_step: `Not over after ${input.timeout_seconds} s; it goes on. ${howToAsk(input, run_id)}`,
  };
}

function howToAsk({ enclave, name }: Input, run_id: string): string {
  return `Ask again: wf_runs with enclave "${enclave}", name "${name}", run_id "${run_id}".`;
}

/** The output as JSON; of one that is too long, or that the engine has cut, its beginning as text. */
function describeOutput({
  outputs,
  outputsTruncated,
}: RunReply): Pick<Output, 'output' | 'output_text' | 'output_truncated'> {
  if (outputs === undefined) return {};
  const output = outputsTruncated ? undefined : outputJson(outputs);
  if (output !== undefined) return { output };
  const text = typeof outputs === 'string' ? outputs : JSON.stringify(cleanJson(outputs, outputHead));
  return { output_text: cleanText(text, outputHead), output_truncated: true };
}

function errorOf({ error }: RunReply): NonNullable<Output['error']> {
  const message = error?.message;
  const node = error?.node;
  return {
    ...(typeof node === 'string' ? { node: cleanText(node, textLimits.field) } : {}),
    message: typeof message === 'string' ? cleanText(message, textLimits.line) : 'the run failed',
  };
}

async function recordRun(
  { runs }: ToolDependencies,
  { enclave, name }: Input,
  { tentacle, startedAt, output, kube }: { tentacle: Manifest; startedAt: string; output: Output; kube: CallOptions },
): Promise<void> {
  const { run_id, status, duration_ms, error } = output;
  // A run that is told again began when it was recorded first.
  const known = output.repeated ? await runs.read({ enclave, name }, kube) : [];
  const before = known.find((run) => run.run_id === run_id);
  if (before && before.status !== 'running') return;
  const summary: RunSummary = {
    run_id,
    trigger: 'manual',
    status: status === 'accepted' ? 'running' : status,
    started_at: before?.started_at ?? startedAt,
    ...(duration_ms === undefined ? {} : { duration_ms }),
    ...(error?.node ? { failed_node: error.node } : {}),
    ...(error ? { error: cleanText(error.message, 300) } : {}),
  };
  await runs.record({ enclave, name }, tentacle, [summary]);
}
