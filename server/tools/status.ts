import { annotationKeys } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { wfStatus } from '../api/status.ts';
import type { ToolOutput } from '../api/tools.ts';
import { isSince } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import type { ToolDependencies } from './dependencies.ts';
import { deploymentState } from './deployment-state.ts';
import { eventRows, podRows } from './observe.ts';
import { rowsWithin } from './page.ts';
import { engineImageOf } from './source.ts';
import type { Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Output = ToolOutput<'wf_status'>;

/** What `detail` adds: events read, and the characters that pods and events may each take. */
const detailEvents = 30;
const detailBudget = 15_000;

export function statusTool({ cluster, now }: ToolDependencies): Tool<'wf_status'> {
  return {
    name: 'wf_status',
    title: 'State of a tentacle',
    description: [
      'Tells whether one tentacle is up: replicas, rollout state and its reason, conditions, image, version, revision, and whether live objects have drifted from it.',
      'Use it after wf_apply or wf_restart, and first when something fails; detail: true adds pods and events. For what its runs did use wf_runs, for output of the containers wf_logs.',
    ].join('\n'),
    ...wfStatus,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube }) {
      const { enclave, name } = input;
      const { tentacle } = await admission.tentacle('wf_status', enclave, name);
      const call = kube;
      const [rollout, drift, pods, events] = await Promise.all([
        cluster.rollout(enclave, name, call),
        driftOf(cluster, { enclave, name, call }),
        input.detail ? cluster.pods(enclave, name, call) : undefined,
        input.detail ? cluster.events(enclave, { names: [name], limit: detailEvents, call }) : undefined,
      ]);
      const { failure } = rollout;
      const isOwn = ({ createdAt }: { createdAt: string }) => isSince(createdAt, tentacle);
      return {
        ...summaryOf(enclave, tentacle),
        rollout: {
          state: rollout.state === 'current' ? 'complete' : rollout.state === 'in_progress' ? 'in-progress' : 'failed',
          message: cleanText(failure ? `${failure.reason}: ${failure.message}` : rollout.message, textLimits.message),
        },
        ...(drift === undefined ? {} : { drift }),
        ...(pods ? { pods: rowsWithin(podRows(pods.filter(isOwn), now()), detailBudget) } : {}),
        ...(events ? { events: rowsWithin(eventRows(events), detailBudget) } : {}),
      };
    },
  };
}

function summaryOf(enclave: string, tentacle: Manifest): Omit<Output, 'rollout'> {
  const annotations = annotationsOf(tentacle);
  const state = deploymentState(tentacle);
  const revision = Number(annotations[annotationKeys.revision]);
  const version = tentacle.metadata.labels?.[labelKeys.version];
  const specHash = annotations[annotationKeys.specHash];
  return {
    enclave,
    name: tentacle.metadata.name,
    ...(version ? { version: version.replaceAll('_', '+') } : {}),
    ...(Number.isInteger(revision) && revision > 0 ? { revision } : {}),
    ...(specHash ? { spec_hash: cleanText(specHash, textLimits.field) } : {}),
    image: engineImageOf(tentacle) ?? '',
    replicas: state.replicas,
    available: state.available,
    ready: state.ready,
    ready_replicas: state.readyReplicas,
    conditions: state.conditions.map(conditionRow),
  };
}

/** Undefined where no revision is stored to compare with. */
async function driftOf(
  cluster: ToolDependencies['cluster'],
  request: Parameters<ToolDependencies['cluster']['drift']>[0],
): Promise<boolean | undefined> {
  try {
    return (await cluster.drift(request)).drifted;
  } catch (error) {
    if (error instanceof TentacularError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function conditionRow(condition: JsonObject): Output['conditions'][number] {
  const text = (key: string, limit: number) => {
    const value = condition[key];
    return typeof value === 'string' && value !== '' ? cleanText(value, limit) : undefined;
  };
  const reason = text('reason', textLimits.field);
  const message = text('message', textLimits.message);
  const since = text('lastTransitionTime', textLimits.field);
  return {
    type: text('type', textLimits.field) ?? '',
    status: text('status', textLimits.field) ?? '',
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(since ? { since } : {}),
  };
}
