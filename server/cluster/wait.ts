import type { Manifest } from '../../constructs/model/manifest.ts';
import { isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { isOf } from './live-set.ts';
import { readLogText } from './logs.ts';
import { pause } from './pause.ts';
import { plainText } from './plain-text.ts';
import { type ContainerInfo, listPods, numberIn, objectsIn, type PodInfo, textIn } from './pods.ts';
import { revisionOf } from './stamps.ts';

/** Why a rollout does not get there: told of the newest pod that fails, or of the ReplicaSet that may not make one. */
export interface RolloutFailure {
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `OOMKilled`, `FailedCreate`, `ProgressDeadlineExceeded`, ... */
  readonly reason: string;
  /** The cluster's own words: untrusted text, sanitized and capped. */
  readonly message: string;
  readonly pod?: string;
  readonly container?: string;
  readonly exitCode?: number;
  /** Last lines of the failing container: untrusted text, sanitized and capped. */
  readonly logs?: readonly string[];
}

/** State of a Deployment by the rules of kstatus. */
export interface RolloutState {
  readonly state: 'current' | 'in_progress' | 'failed' | 'not_found';
  /** One plain sentence. */
  readonly message: string;
  readonly revision: number;
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  readonly available: number;
  readonly failure?: RolloutFailure;
  /** True where the deadline came first; the rest is then the state so far. */
  readonly timedOut: boolean;
}

export interface WaitOptions {
  /** Default 120 000. */
  readonly timeoutMs?: number;
  /** Called whenever the state changes, in the order of change. */
  readonly onProgress?: (state: RolloutState) => void;
  readonly call?: Pick<CallOptions, 'signal' | 'userAgent'>;
}

const defaultWaitMs = 120_000;
const pollMs = 400;
const failureLogLines = 20;
/** An image that is not there yet may be on its way: this long a pull may fail before the rollout has. */
const pullGraceMs = 20_000;

/** Reads the Deployment's own account of itself; https://github.com/kubernetes-sigs/cli-utils, kstatus. */
function judgeDeployment(deployment: Manifest): Omit<RolloutState, 'timedOut' | 'failure'> {
  const { status = {}, spec = {}, metadata } = deployment;
  const desired = typeof spec.replicas === 'number' ? spec.replicas : 1;
  const [total, updated, ready, available] = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas'].map(
    (field) => numberIn(status, field),
  ) as [number, number, number, number];
  const state = (name: RolloutState['state'], message: string) => ({
    state: name,
    message,
    revision: revisionOf(deployment),
    desired,
    updated,
    ready,
    available,
  });
  if (metadata.deletionTimestamp) return state('in_progress', 'The Deployment is being deleted');
  if (numberIn(status, 'observedGeneration') < (metadata.generation ?? 0)) {
    return state('in_progress', 'The cluster has not looked at the new version yet');
  }
  const progressing = objectsIn(status, 'conditions').find((c) => c.type === 'Progressing');
  if (progressing?.reason === 'ProgressDeadlineExceeded') {
    return state('failed', 'The rollout made no progress within its deadline');
  }
  if (updated < desired) return state('in_progress', `${updated} of ${desired} pods are of the new version`);
  if (total > updated) return state('in_progress', `${total - updated} pods of the old version are still ending`);
  if (available < desired) return state('in_progress', `${available} of ${desired} pods are available`);
  return state('current', `${available} of ${desired} pods are available`);
}

const brokenStates = new Set([
  'CrashLoopBackOff',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
]);
const pullStates = new Set(['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull']);

interface Failing {
  readonly pod: PodInfo;
  readonly container: ContainerInfo;
  /** False where it may still heal by itself. */
  readonly definite: boolean;
}

/** The container that keeps the newest pods from being ready. */
function findFailing(pods: readonly PodInfo[], now: number): Failing | undefined {
  for (const pod of pods.filter((p) => !p.terminating && !p.ready)) {
    for (const container of pod.containers) {
      const reason = container.reason ?? '';
      if (container.state === 'waiting' && brokenStates.has(reason)) return { pod, container, definite: true };
      if (container.state === 'waiting' && pullStates.has(reason)) {
        return { pod, container, definite: now - Date.parse(pod.createdAt) > pullGraceMs };
      }
      if (container.state === 'terminated' && container.exitCode !== 0) return { pod, container, definite: false };
    }
  }
  return undefined;
}

/** One look at a rollout, with the reason where something is in its way. */
export async function readRollout(
  context: Pick<Context, 'client' | 'now'>,
  target: { readonly enclave: string; readonly name: string },
  call: CallOptions,
): Promise<RolloutState> {
  const { enclave, name } = target;
  const deployment = await context.client.get(
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name },
    call,
  );
  if (!deployment || !isOf(deployment, enclave, name)) return notFound(enclave, name);
  const judged = judgeDeployment(deployment);
  if (judged.state === 'current') return { ...judged, timedOut: false };
  const refused = objectsIn(deployment.status, 'conditions').find(
    (c) => c.type === 'ReplicaFailure' && c.status === 'True',
  );
  if (refused) {
    const failure = { reason: textIn(refused, 'reason') ?? 'FailedCreate', message: textIn(refused, 'message') ?? '' };
    return {
      ...judged,
      state: 'failed',
      message: `The cluster refuses the pod: ${failure.reason}`,
      failure,
      timedOut: false,
    };
  }
  const pods = await listPods(context, enclave, name, call);
  const failing = findFailing(pods, context.now());
  if (!failing) return { ...judged, ...unscheduled(pods), timedOut: false };
  const failure = await describeFailure(context, enclave, failing, call);
  const state = failing.definite ? 'failed' : judged.state;
  const message = `Container ${failing.container.name} of ${failing.pod.name}: ${failure.reason}`;
  return { ...judged, state, message, failure, timedOut: false };
}

function notFound(enclave: string, name: string): RolloutState {
  const message = `There is no tentacle "${name}" in "${enclave}"`;
  return { state: 'not_found', message, revision: 0, desired: 0, updated: 0, ready: 0, available: 0, timedOut: false };
}

/** A pod that no node takes may find one later: told, but not yet a failure. */
function unscheduled(pods: readonly PodInfo[]): { readonly failure?: RolloutFailure } {
  const waiting = pods.find((pod) => !pod.terminating && pod.reason === 'Unschedulable');
  return waiting ? { failure: { reason: 'Unschedulable', message: waiting.message ?? '', pod: waiting.name } } : {};
}

async function describeFailure(
  context: Pick<Context, 'client'>,
  enclave: string,
  { pod, container }: Failing,
  call: CallOptions,
): Promise<RolloutFailure> {
  // Why it crashes says more than that it is being restarted.
  const reason = container.lastReason === 'OOMKilled' ? 'OOMKilled' : (container.reason ?? 'Unknown');
  const exitCode = container.exitCode ?? container.lastExitCode;
  const logs = await lastLines(context, enclave, pod.name, container, call);
  return {
    reason,
    message: container.message ?? pod.message ?? '',
    pod: pod.name,
    container: container.name,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(logs.length > 0 ? { logs } : {}),
  };
}

async function lastLines(
  context: Pick<Context, 'client'>,
  enclave: string,
  pod: string,
  container: ContainerInfo,
  call: CallOptions,
): Promise<string[]> {
  if (container.restarts === 0 && container.state === 'waiting') return [];
  const query = { enclave, pod, container: container.name, tailLines: failureLogLines, limitBytes: 16 * 1024 };
  try {
    const { text } = await readLogText(context, { ...query, previous: container.state === 'waiting' }, call);
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.slice(-failureLogLines).map((line) => plainText(line, 500));
  } catch (error) {
    // The log of a container that is gone is not there to be read; the reason stands without it.
    if (isApiError(error, 400) || isApiError(error, 404)) return [];
    throw error;
  }
}

/** Polls until current, failed or out of time; never rejects for a failed rollout. */
export async function waitForRollout(
  context: Pick<Context, 'client' | 'now'>,
  target: { readonly enclave: string; readonly name: string },
  options: WaitOptions,
): Promise<RolloutState> {
  const deadline = context.now() + (options.timeoutMs ?? defaultWaitMs);
  const call = options.call ?? {};
  let told = '';
  for (;;) {
    const state = await readRollout(context, target, call);
    if (state.message !== told) options.onProgress?.(state);
    told = state.message;
    if (state.state !== 'in_progress') return state;
    if (context.now() + pollMs >= deadline || call.signal?.aborted) return { ...state, timedOut: true };
    await pause(pollMs, call.signal);
  }
}
