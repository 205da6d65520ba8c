import type { RenderedTentacle } from '../../constructs/source.ts';
import type { ToolOutput } from '../api/tools.ts';
import type { Cluster, RolloutState } from '../cluster/index.ts';
import type { CallContext } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Rollout = NonNullable<ToolOutput<'wf_apply'>['rollout']>;

/** Log lines told of a container that failed. */
const maxLogLines = 20;

/** Waits until the rollout is done, failed, or out of time, and tells the state in which it is then. */
export async function waitForRollout(
  cluster: Pick<Cluster, 'wait'>,
  { enclave, name }: Pick<RenderedTentacle, 'enclave' | 'name'>,
  { seconds, context }: { seconds: number; context: CallContext },
): Promise<Rollout> {
  const state = await cluster.wait(enclave, name, {
    timeoutMs: seconds * 1000,
    onProgress: (progress) => context.progress(progressText(progress)),
    call: context.kube,
  });
  const where = `enclave "${enclave}", name "${name}"`;
  const { failure } = state;
  return {
    state: stateOf(state),
    message: cleanText(failure ? `${failure.reason}: ${failure.message}` : state.message, textLimits.message),
    ready: state.ready,
    wanted: state.desired,
    ...(failure?.pod ? { pod: failure.pod } : {}),
    ...(failure?.container ? { container: failure.container } : {}),
    ...(failure?.exitCode === undefined ? {} : { exit_code: failure.exitCode }),
    ...(failure?.logs ? { logs: failure.logs.slice(-maxLogLines).map((line) => cleanText(line, 500)) } : {}),
    ...(state.state === 'current' ? {} : { next_step: nextStep(state, where) }),
  };
}

function stateOf(state: Pick<RolloutState, 'state' | 'timedOut'>): Rollout['state'] {
  if (state.state === 'current') return 'complete';
  if (state.state === 'failed' || state.state === 'not_found') return 'failed';
  return state.timedOut ? 'timed-out' : 'in-progress';
}

function progressText(state: RolloutState): string {
  return cleanText(`${state.ready} of ${state.desired} ready: ${state.message}`, 300);
}

function nextStep(state: RolloutState, where: string): string {
  if (state.state === 'in_progress')
    return `The rollout goes on by itself. Ask again: wf_status with ${where}, detail true.`;
  return `Read wf_logs and wf_events with ${where}, correct the cause, then wf_apply again.`;
}
