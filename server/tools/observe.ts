import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { wfEvents, wfPods } from '../api/status.ts';
import type { ToolOutput } from '../api/tools.ts';
import { type Cluster, type ContainerInfo, type EventInfo, isSince, type PodInfo } from '../cluster/index.ts';
import type { ToolDependencies } from './dependencies.ts';
import { ageOf } from './describe-time.ts';
import { pageOf } from './page.ts';
import type { CallContext, Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type PodRow = ToolOutput<'wf_pods'>['pods'][number];
type EventRow = ToolOutput<'wf_events'>['events'][number];

/** Events read of an enclave before they are paged. */
const maxEvents = 1000;

export function podsTool({ cluster, now }: ToolDependencies): Tool<'wf_pods'> {
  return {
    name: 'wf_pods',
    title: 'List pods',
    description: [
      'Lists the pods of a tentacle, or of a whole enclave: phase, readiness, restarts, and why a container waits or died.',
      'Use it when wf_status says that a rollout is stuck or failed, and to learn pod names for wf_logs.',
    ].join('\n'),
    ...wfPods,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube }) {
      const tentacles = await readable(cluster, { operation: 'wf_pods', input, admission, kube });
      const pods = await cluster.pods(input.enclave, input.name, kube);
      const isShown = (pod: PodInfo) =>
        tentacles?.some((one) => one.metadata.name === pod.tentacle && isSince(pod.createdAt, one)) ?? true;
      const rows = podRows(pods.filter(isShown), now()).sort((a, b) => (a.name < b.name ? -1 : 1));
      const { rows: page, ...cursor } = pageOf(rows, (row) => row.name, input);
      return { pods: page, total: rows.length, ...cursor };
    },
  };
}

export function eventsTool({ cluster }: ToolDependencies): Tool<'wf_events'> {
  return {
    name: 'wf_events',
    title: 'List events',
    description: [
      'Lists what the cluster did lately for a tentacle or a whole enclave, newest first: scheduling, image pulls, probes, restarts, quota refusals.',
      'Use it when a pod does not start or keeps dying. The cluster keeps events for about an hour; for what the containers wrote use wf_logs.',
    ].join('\n'),
    ...wfEvents,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube }) {
      const tentacles = await readable(cluster, { operation: 'wf_events', input, admission, kube });
      const events = await cluster.events(input.enclave, {
        ...(tentacles ? { names: tentacles.map(({ metadata }) => metadata.name) } : {}),
        limit: maxEvents,
        call: kube,
      });
      // The position tells apart what is otherwise equal, so that keys are unique and fall.
      const rows = eventRows(events).map((row, index) => ({ row, key: eventKey(row, events.length - index) }));
      const sorted = rows.sort((a, b) => (a.key > b.key ? -1 : 1));
      const { rows: page, ...cursor } = pageOf(sorted, ({ key }) => key, { ...input, descending: true });
      return { events: page.map(({ row }) => row), total: rows.length, ...cursor };
    },
  };
}

/**
 * The tentacles whose rows the caller may see; undefined: every row of the enclave, also those that belong to
 * no tentacle (any more), which are for the owner of the enclave.
 */
async function readable(
  cluster: Pick<Cluster, 'reader'>,
  ask: {
    readonly operation: 'wf_pods' | 'wf_events';
    readonly input: { readonly enclave: string; readonly name?: string | undefined };
    readonly admission: CallContext['admission'];
    readonly kube: CallContext['kube'];
  },
): Promise<readonly Manifest[] | undefined> {
  const { operation, input, admission } = ask;
  if (input.name !== undefined) {
    return [(await admission.tentacle(operation, input.enclave, input.name)).tentacle];
  }
  const enclave = await admission.enclave(operation, input.enclave);
  if (admission.may('enclave_sync', enclave)) return undefined;
  const labels = { [labelKeys.managedBy]: managedBy, [labelKeys.enclave]: input.enclave };
  const query = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: input.enclave, labels, metadataOnly: true };
  const tentacles = await cluster.reader.list(query, ask.kube);
  return tentacles.filter((one) => admission.may(operation, enclave, one));
}

function eventKey(row: EventRow, rank: number): string {
  return `${row.last_seen} ${String(rank).padStart(5, '0')}`;
}

export function eventRows(events: readonly EventInfo[]): EventRow[] {
  return events.map((event) => ({
    last_seen: isoTime(event.lastSeen),
    type: cleanText(event.type, textLimits.field),
    reason: cleanText(event.reason, textLimits.field),
    object: cleanText(event.object, textLimits.field),
    message: cleanText(event.message, textLimits.message),
    count: event.count,
  }));
}

/** One form for all, so that texts sort by time: sources differ in their fractions of a second. */
function isoTime(text: string): string {
  const time = Date.parse(text);
  return Number.isNaN(time) ? cleanText(text, 40) : new Date(time).toISOString();
}

export function podRows(pods: readonly PodInfo[], now: number): PodRow[] {
  return pods.map((pod) => ({
    name: pod.name,
    ...(pod.tentacle ? { tentacle: pod.tentacle } : {}),
    phase: pod.terminating ? 'Terminating' : pod.phase,
    ready: pod.ready,
    restarts: pod.restarts,
    ...(pod.reason ? { reason: cleanText(pod.reason, textLimits.field) } : {}),
    ...(pod.message ? { message: cleanText(pod.message, textLimits.message) } : {}),
    ...(pod.node ? { node: pod.node } : {}),
    age: ageOf(pod.createdAt, now),
    containers: pod.containers.map(containerRow),
  }));
}

function containerRow(container: ContainerInfo): PodRow['containers'][number] {
  const reason = container.reason ?? container.lastReason;
  const exitCode = container.exitCode ?? container.lastExitCode;
  return {
    name: container.name,
    image: cleanText(container.image, textLimits.field),
    ready: container.ready,
    restarts: container.restarts,
    state: container.state,
    ...(reason ? { reason: cleanText(reason, textLimits.field) } : {}),
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
  };
}
