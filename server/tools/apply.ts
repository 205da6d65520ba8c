import { annotationKeys } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { parseMode } from '../../constructs/model/mode.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';
import { wfApply } from '../api/apply.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import { newTentacleMode, tentacleModeOf } from '../authz/scope.ts';
import type { ApplyRequest, ApplyResult } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import { comparison, stampsOf } from './apply-request.ts';
import { checkedMode } from './checked-mode.ts';
import type { ToolDependencies } from './dependencies.ts';
import { diffEntries } from './diff-entries.ts';
import { asOutOfGit, renderManifests } from './manifests.ts';
import { isOwnedThroughGit } from './ownership.ts';
import { waitForRollout } from './rollout.ts';
import { renderGiven, renderStored, sourceKind } from './source.ts';
import type { CallContext, Tool } from './tool.ts';
import { warningRows } from './warnings.ts';

type Input = ToolInput<'wf_apply'>;
type Output = ToolOutput<'wf_apply'>;

export function applyTool(deps: ToolDependencies): Tool<'wf_apply'> {
  return {
    name: 'wf_apply',
    title: 'Apply a tentacle',
    description: [
      'Makes or updates a tentacle from its source: workflow.yaml and its node files are validated, rendered to manifests and applied, and only what differs is written. The same call again changes nothing.',
      'Use wf_diff or dry_run: true first when the tentacle exists. With wait: true the reply tells whether it runs, and the reason with the last log lines if it does not.',
      'With only enclave and name the stored source is rendered and applied again: mends changes made by hand, and takes up an upgrade of the engine.',
      'A conflict names each field that somebody else owns, with both values; choose on_conflict take or keep. Credentials go into secrets, never into files.',
      'Not for running it (wf_run), for restarting it (wf_restart), or for making the enclave (enclave_provision).',
    ].join('\n'),
    ...wfApply,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run(input, context) {
      const { rendered, live } = await prepare(deps, input, context);
      const request = applyRequest(deps, input, context, { rendered, live });
      context.progress(input.dry_run ? 'comparing with the cluster' : 'applying');
      const [diff, result] = input.dry_run
        ? await Promise.all([diffOf(deps, request), deps.cluster.apply(request)])
        : [undefined, await deps.cluster.apply(request)];
      if (!input.dry_run && result.status === 'updated') {
        const target = { enclave: rendered.enclave, name: rendered.name };
        await deps.runs.harvest(target, result.deployment, context.kube);
      }
      const output = describe(input, rendered, result);
      if (diff) output.diff = diff;
      if (input.wait && !input.dry_run) {
        output.rollout = await waitForRollout(deps.cluster, rendered, { seconds: input.timeout_seconds, context });
      }
      return output;
    },
  };
}

interface Prepared {
  readonly rendered: RenderedTentacle;
  /** The namespace, and the Deployment where there is one. */
  readonly live: { readonly enclave: Manifest; readonly tentacle: Manifest | undefined };
}

/** Renders before it asks for the enclave where it can: faults in the input are told without a look at the cluster. */
async function prepare(deps: ToolDependencies, input: Input, context: CallContext): Promise<Prepared> {
  const kind = sourceKind('wf_apply', input);
  if (kind === 'stored') {
    const name = input.name ?? '';
    const { enclave, tentacle } = await context.admission.tentacle('wf_update', input.enclave, name);
    const stored = { options: deps.rendererOptions, call: context.kube };
    return { rendered: await renderStored(deps.cluster, tentacle, input, stored), live: { enclave, tentacle } };
  }
  const given =
    kind === 'manifests'
      ? renderManifests({ ...input, manifests: input.manifests ?? [] }, deps.rendererOptions)
      : renderGiven(input, deps.rendererOptions);
  const live = await context.admission.apply(input.enclave, given.name);
  return { rendered: isOwnedThroughGit(live.tentacle) ? asOutOfGit(given, deps.rendererOptions) : given, live };
}

function applyRequest(
  deps: ToolDependencies,
  input: Input,
  context: CallContext,
  { rendered, live }: Prepared,
): ApplyRequest {
  const mode = modeOf(input, rendered, live);
  return {
    ...comparison(deps, context, { rendered, secrets: input.secrets }),
    stamps: { ...stampsOf(context), mode },
    ...gitOf(rendered),
    dryRun: input.dry_run,
    ...(input.expected_revision === undefined ? {} : { expectedRevision: input.expected_revision }),
    ...(input.plan === undefined ? {} : { plan: input.plan }),
    onConflict: input.on_conflict,
    seen: { deployment: live.tentacle },
    admit: (found) => context.admission.still(found ? 'wf_update' : 'wf_create', live.enclave, found),
  };
}

/** The commit that the set itself names, so that Deployment and revision agree. */
function gitOf(rendered: RenderedTentacle): Pick<ApplyRequest, 'git'> {
  const deployment = rendered.manifests.find(({ kind }) => kind === 'Deployment');
  const sha = deployment?.metadata.annotations?.[annotationKeys.gitSha];
  const url = deployment?.metadata.annotations?.[annotationKeys.gitUrl];
  if (sha === undefined && url === undefined) return {};
  return { git: { ...(sha ? { sha } : {}), ...(url ? { url } : {}) } };
}

/**
 * Mode of a new tentacle: input, workflow, enclave, default, in this order. It counts at creation only: a different one
 * that is sent later is refused, since permissions_set alone changes it. What is stored may differ: it was sent before
 * the mode was changed.
 */
function modeOf(input: Input, rendered: RenderedTentacle, live: Prepared['live']): string {
  const faults: Fault[] = [];
  const asked = checkedMode('mode', input.mode, faults);
  const written = parseMode(rendered.workflow.deployment.mode ?? '');
  const sent = asked ?? (sourceKind('wf_apply', input) === 'stored' ? undefined : written);
  const current = live.tentacle && tentacleModeOf(annotationsOf(live.enclave), annotationsOf(live.tentacle));
  if (sent !== undefined && current !== undefined && current !== sent) {
    const path = asked === undefined ? 'workflow.deployment.mode' : 'mode';
    faults.push({
      path,
      message: 'counts only when a tentacle is made',
      found: input.mode ?? sent,
      allowed: `${current}, which it has`,
      hint: `leave ${path} out; permissions_set changes it`,
    });
  }
  if (faults.length > 0) throw invalidInput('Input of wf_apply', faults);
  return asked ?? written ?? newTentacleMode(annotationsOf(live.enclave));
}

async function diffOf({ cluster }: ToolDependencies, request: ApplyRequest) {
  return diffEntries((await cluster.diff(request)).objects);
}

function describe(input: Input, rendered: RenderedTentacle, result: ApplyResult): Output {
  const services = Object.entries(input.secrets ?? {});
  return {
    status: result.status,
    enclave: rendered.enclave,
    name: rendered.name,
    dry_run: input.dry_run,
    revision: result.revision,
    spec_hash: result.specHash,
    applied: result.applied.map(({ object, outcome }) => ({ object, outcome })),
    pruned: result.pruned.map(({ object }) => object),
    ...(services.length === 0
      ? {}
      : {
          secrets: {
            replaced: services.filter(([, value]) => value !== null).map(([service]) => service),
            removed: services.filter(([, value]) => value === null).map(([service]) => service),
          },
        }),
    warnings: warningRows([...warningsOf(result), ...rendered.warnings]),
  };
}

function warningsOf(result: ApplyResult): string[] {
  const warnings = result.kept.map(({ object, field, owner }) => `${object}: ${field} was left to ${owner}`);
  if (result.missingSecrets.length > 0) {
    warnings.push(`no credentials for ${result.missingSecrets.join(', ')}: send them in secrets`);
  }
  if (result.resumed) warnings.push('an apply that had been interrupted was completed');
  return warnings;
}
