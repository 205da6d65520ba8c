import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { tentacleSelectorOf } from './live-set.ts';
import { plainText } from './plain-text.ts';

export interface ContainerInfo {
  readonly name: string;
  readonly image: string;
  readonly ready: boolean;
  readonly restarts: number;
  readonly state: 'waiting' | 'running' | 'terminated' | 'unknown';
  /** e.g. `CrashLoopBackOff`. */
  readonly reason?: string;
  /** Untrusted text, sanitized and capped. */
  readonly message?: string;
  readonly exitCode?: number;
  /** Reason of the last end of it, e.g. `OOMKilled`. */
  readonly lastReason?: string;
  readonly lastExitCode?: number;
}

export interface PodInfo {
  readonly name: string;
  /** The tentacle that it belongs to; absent for pods that are not ours. */
  readonly tentacle?: string;
  readonly phase: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  readonly restarts: number;
  readonly node?: string;
  readonly ip?: string;
  readonly version?: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Why it is not ready, in a word (`Unschedulable`, `CrashLoopBackOff`, `Evicted`). */
  readonly reason?: string;
  /** Untrusted text, sanitized and capped. */
  readonly message?: string;
  /** Init containers first. */
  readonly containers: readonly ContainerInfo[];
}

const maxPods = 2_000;

/** Pods of an enclave, newest first; of one tentacle where named. */
export async function listPods(
  { client }: Pick<Context, 'client'>,
  enclave: string,
  name: string | undefined,
  call: CallOptions,
): Promise<PodInfo[]> {
  const labels = name === undefined ? {} : { labels: tentacleSelectorOf(enclave, name) };
  const pods = await client.list(
    { apiVersion: 'v1', kind: 'Pod', namespace: enclave, maxItems: maxPods, ...labels },
    call,
  );
  return pods
    .map(podInfo)
    .sort((a, b) => (a.createdAt === b.createdAt ? compare(a.name, b.name) : compare(b.createdAt, a.createdAt)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The object in a field, or an empty one. */
export function objectIn(parent: JsonValue | undefined, field: string): JsonObject {
  const value = isJsonObject(parent) ? parent[field] : undefined;
  return isJsonObject(value) ? value : {};
}

/** The objects in a list field. */
export function objectsIn(parent: JsonValue | undefined, field: string): JsonObject[] {
  const value = isJsonObject(parent) ? parent[field] : undefined;
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** The text in a field; undefined where there is none. */
export function textIn(parent: Readonly<Record<string, unknown>>, field: string, maxLength = 500): string | undefined {
  const value = parent[field];
  return typeof value === 'string' && value !== '' ? plainText(value, maxLength) : undefined;
}

/** The number in a field, or zero. */
export function numberIn(parent: Readonly<Record<string, unknown>>, field: string): number {
  const value = parent[field];
  return typeof value === 'number' ? value : 0;
}

function optional<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

const stateNames = ['waiting', 'running', 'terminated'] as const;

function containerInfo(status: JsonObject): ContainerInfo {
  const states = objectIn(status, 'state');
  const state = stateNames.find((name) => isJsonObject(states[name])) ?? 'unknown';
  const current = objectIn(states, state);
  const last = objectIn(objectIn(status, 'lastState'), 'terminated');
  return {
    name: textIn(status, 'name') ?? '',
    image: textIn(status, 'image') ?? '',
    ready: status.ready === true,
    restarts: numberIn(status, 'restartCount'),
    state,
    ...optional('reason', textIn(current, 'reason')),
    ...optional('message', textIn(current, 'message')),
    ...optional('exitCode', typeof current.exitCode === 'number' ? current.exitCode : undefined),
    ...optional('lastReason', textIn(last, 'reason')),
    ...optional('lastExitCode', typeof last.exitCode === 'number' ? last.exitCode : undefined),
  };
}

/** A pod as typed, sanitized data. */
function podInfo(pod: Manifest): PodInfo {
  const { metadata, status = {}, spec = {} } = pod;
  const statuses = [...objectsIn(status, 'initContainerStatuses'), ...objectsIn(status, 'containerStatuses')];
  const containers = statuses.map(containerInfo);
  const conditions = objectsIn(status, 'conditions');
  const condition = (type: string) => conditions.find((c) => c.type === type);
  const scheduled = condition('PodScheduled');
  const unschedulable = scheduled?.status === 'False' ? scheduled : {};
  const failing = containers.find((c) => !c.ready && c.reason !== undefined && c.reason !== 'Completed');
  const labels = metadata.labels ?? {};
  return {
    name: metadata.name,
    phase: textIn(status, 'phase') ?? 'Unknown',
    ready: condition('Ready')?.status === 'True',
    terminating: metadata.deletionTimestamp !== undefined,
    restarts: containers.reduce((sum, container) => sum + container.restarts, 0),
    createdAt: metadata.creationTimestamp ?? '',
    containers,
    ...optional('tentacle', labels[labelKeys.tentacle]),
    ...optional('version', labels[labelKeys.version]),
    ...optional('node', textIn(spec, 'nodeName')),
    ...optional('ip', textIn(status, 'podIP')),
    ...optional('reason', textIn(status, 'reason') ?? failing?.reason ?? textIn(unschedulable, 'reason')),
    ...optional('message', textIn(status, 'message') ?? failing?.message ?? textIn(unschedulable, 'message')),
  };
}
