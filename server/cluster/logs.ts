import { TentacularError } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { isSince } from './lifetime.ts';
import { tentacleSelectorOf } from './live-set.ts';
import { plainText } from './plain-text.ts';
import { objectsIn } from './pods.ts';

export interface LogQuery {
  readonly enclave: string;
  /** Logs of every pod of this tentacle; or give `pod`. */
  readonly name?: string;
  /** With `name`: the Deployment whose pods are meant, and not those that drain of one before it. */
  readonly of?: Manifest;
  readonly pod?: string;
  /** Default: all containers of the pods. */
  readonly container?: string;
  /** Last lines of each container, 1-5000. Default 100. */
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  /** The run of the container before its last restart. */
  readonly previous?: boolean;
  /** Only lines that contain this text (not a pattern). */
  readonly grep?: string;
  /** Most bytes read of each container. Default 256 KiB. */
  readonly limitBytes?: number;
  readonly call?: CallOptions;
}

export interface LogResult {
  /** Untrusted text: sanitized (control and zero-width characters gone), each line capped. */
  readonly lines: readonly { readonly pod: string; readonly container: string; readonly line: string }[];
  /** True where a cap cut something off. */
  readonly truncated: boolean;
  /** Containers without logs to give, with the reason (not started yet, no previous run). */
  readonly missing: readonly { readonly pod: string; readonly container: string; readonly reason: string }[];
}

const defaultTail = 100;
const maxTail = 5_000;
const defaultBytes = 256 * 1024;
const maxBytes = 4 * 1024 * 1024;
const maxLineLength = 4_000;
/** Pods read at most in one call. */
const maxPods = 20;

/** Log lines of a pod, or of every pod of a tentacle; containers of one pod after the other. */
export async function readLogs(context: Pick<Context, 'client'>, query: LogQuery): Promise<LogResult> {
  const call = query.call ?? {};
  const pods = await podsOf(context, query, call);
  const parts: ContainerLog[] = [];
  for (const pod of pods.slice(0, maxPods)) {
    const named = containersOf(pod).filter((c) => query.container === undefined || c === query.container);
    for (const container of named) parts.push(await containerLog(context, pod.metadata.name, container, query, call));
  }
  return {
    lines: parts.flatMap(({ pod, container, lines }) => lines.map((line) => ({ pod, container, line }))),
    truncated: pods.length > maxPods || parts.some((part) => part.truncated),
    missing: parts.flatMap(({ pod, container, reason }) => (reason === undefined ? [] : [{ pod, container, reason }])),
  };
}

async function podsOf({ client }: Pick<Context, 'client'>, query: LogQuery, call: CallOptions): Promise<Manifest[]> {
  const { enclave, name, pod, of } = query;
  if (pod !== undefined) {
    const found = await client.get({ apiVersion: 'v1', kind: 'Pod', namespace: enclave, name: pod }, call);
    if (found) return [found];
    throw new TentacularError('not_found', `There is no pod "${pod}" in "${enclave}"`, {
      hint: 'List the pods with wf_pods.',
    });
  }
  if (name === undefined) {
    throw new TentacularError('invalid_input', 'Logs need the name of a tentacle or of a pod', {
      hint: 'Give name or pod.',
    });
  }
  const labels = tentacleSelectorOf(enclave, name);
  const pods = await client.list({ apiVersion: 'v1', kind: 'Pod', namespace: enclave, labels }, call);
  const created = (p: Manifest) => p.metadata.creationTimestamp ?? '';
  const own = of ? pods.filter((p) => isSince(p.metadata.creationTimestamp, of)) : pods;
  return own.sort((a, b) => (created(a) < created(b) ? 1 : -1));
}

function containersOf(pod: Manifest): string[] {
  const specs = [...objectsIn(pod.spec, 'initContainers'), ...objectsIn(pod.spec, 'containers')];
  return specs.flatMap((spec) => (typeof spec.name === 'string' ? [spec.name] : []));
}

interface ContainerLog {
  readonly pod: string;
  readonly container: string;
  readonly lines: readonly string[];
  readonly truncated: boolean;
  readonly reason?: string;
}

async function containerLog(
  context: Pick<Context, 'client'>,
  pod: string,
  container: string,
  query: LogQuery,
  call: CallOptions,
): Promise<ContainerLog> {
  try {
    const { text, truncated } = await readLogText(context, { ...query, pod, container }, call);
    const all = text.split('\n').filter((line) => line !== '');
    const wanted = query.grep === undefined ? all : all.filter((line) => line.includes(query.grep ?? ''));
    return { pod, container, lines: wanted.map((line) => plainText(line, maxLineLength)), truncated };
  } catch (error) {
    // Waiting to start, no previous run, or the pod went meanwhile: an answer about one container, not a failure.
    if (isApiError(error, 400) || isApiError(error, 404)) {
      return { pod, container, lines: [], truncated: false, reason: plainText(error.message, 300) };
    }
    throw error;
  }
}

/** The raw text of one container's log, from the end, size capped; reading stops cleanly where the cap is reached. */
export async function readLogText(
  { client }: Pick<Context, 'client'>,
  query: Omit<LogQuery, 'name' | 'grep' | 'call'> & { readonly pod: string; readonly container: string },
  call: CallOptions,
): Promise<{ readonly text: string; readonly truncated: boolean }> {
  const limit = Math.min(query.limitBytes ?? defaultBytes, maxBytes);
  const parameters = new URLSearchParams({ container: query.container });
  parameters.set('tailLines', String(Math.min(Math.max(query.tailLines ?? defaultTail, 1), maxTail)));
  if (query.sinceSeconds !== undefined)
    parameters.set('sinceSeconds', String(Math.max(1, Math.ceil(query.sinceSeconds))));
  if (query.previous) parameters.set('previous', 'true');
  const deadline = AbortSignal.timeout(call.timeoutMs ?? 15_000);
  const stream = await client.transport.stream(
    {
      verb: 'log',
      resource: 'pods/log',
      method: 'GET',
      path: `/api/v1/namespaces/${encodeURIComponent(query.enclave)}/pods/${encodeURIComponent(query.pod)}/log`,
      query: parameters,
      accept: '*/*',
      subject: `read the log of ${query.pod}`,
    },
    { ...call, signal: call.signal ? AbortSignal.any([call.signal, deadline]) : deadline },
  );
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream.chunks) {
    parts.push(chunk);
    size += chunk.length;
    // The newest lines come last: keep a window at the end, so that a long line before cannot push them out.
    while (parts.length > 1 && size - (parts[0]?.length ?? 0) >= limit) size -= parts.shift()?.length ?? 0;
  }
  const whole = Buffer.concat(parts);
  const truncated = whole.length > limit;
  const text = (truncated ? whole.subarray(whole.length - limit) : whole).toString('utf8');
  return { text, truncated: truncated || deadline.aborted };
}
