import { annotationKeys } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput, TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import { readCode, renderTentacle } from '../../constructs/render.ts';
import type { RenderedTentacle, TentacleSource } from '../../constructs/source.ts';
import type { CallOptions, Cluster } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';

/** What wf_apply, wf_diff and wf_render have in common, of their arguments. */
export interface SourceInput {
  readonly enclave: string;
  readonly name?: string | undefined;
  readonly workflow?: string | Record<string, unknown> | undefined;
  readonly files?: Record<string, string> | undefined;
  readonly image?: string | undefined;
  readonly git_sha?: string | undefined;
}

/** Whether the caller sent a source, or means the stored one; a half of each is a fault. */
export function sourceKind(
  tool: string,
  input: SourceInput & { readonly manifests?: unknown },
): 'given' | 'stored' | 'manifests' {
  const faults: Fault[] = [];
  const given = input.workflow !== undefined;
  if (!given && input.files !== undefined) faults.push({ path: 'workflow', message: 'is required with files' });
  if (input.manifests !== undefined && (given || input.files !== undefined)) {
    faults.push({ path: 'manifests', message: 'cannot go together with workflow and files' });
  }
  if (!given && input.manifests === undefined && input.name === undefined) {
    faults.push({ path: 'workflow', message: 'is required', hint: 'or name a tentacle, to take its stored source' });
  }
  if (faults.length > 0) throw invalidInput(`Input of ${tool}`, faults);
  if (input.manifests !== undefined) return 'manifests';
  return given ? 'given' : 'stored';
}

/** Renders what the caller sent. Needs no cluster. */
export function renderGiven(input: SourceInput, options: RendererOptions): RenderedTentacle {
  const source: TentacleSource = {
    enclave: input.enclave,
    ...(input.name ? { name: input.name } : {}),
    workflow: workflowOf(input.workflow),
    files: input.files ?? {},
    ...(input.image ? { image: input.image } : {}),
    ...(input.git_sha ? { gitSha: input.git_sha } : {}),
  };
  return renderTentacle(source, options);
}

function workflowOf(workflow: SourceInput['workflow']): string | JsonObject {
  if (typeof workflow === 'string') return workflow;
  // The arguments came out of JSON, so an object in them is a JSON object.
  return isJsonObject(workflow) ? workflow : '';
}

/**
 * Renders the source that the live revision was made from, with the options of now: after an upgrade of engine or
 * renderer, or to mend what somebody changed by hand. Image and git commit stay as they were chosen. What was chosen
 * the revision says; the Deployment, which anybody may have changed, only where none is stored.
 */
export async function renderStored(
  cluster: Cluster,
  deployment: Manifest,
  input: SourceInput,
  context: { readonly options: RendererOptions; readonly call: CallOptions },
): Promise<RenderedTentacle> {
  const { enclave } = input;
  const name = deployment.metadata.name;
  const { call } = context;
  const revision = Number(annotationsOf(deployment)[annotationKeys.revision]);
  const stored = Number.isInteger(revision) ? await cluster.revision(enclave, name, revision, call) : undefined;
  const made = stored?.manifests.find(({ kind }) => kind === 'Deployment') ?? deployment;
  const configMap = codeConfigMapOf(made, name);
  const code = configMap === undefined ? undefined : await cluster.code({ enclave, name, configMap }, call);
  if (!code) throw sourceGone(enclave, name);
  const { workflow, files } = readCode(code);
  const annotations = annotationsOf(made);
  const image = input.image ?? chosenImage(made, stored?.rendererOptions);
  const gitSha = input.git_sha ?? annotations[annotationKeys.gitSha];
  const gitUrl = annotations[annotationKeys.gitUrl];
  const isOutOfGit = [made, deployment].some((one) => annotationsOf(one)[annotationKeys.managedByGit] === 'true');
  return renderTentacle(
    {
      enclave,
      name,
      workflow,
      files,
      ...(image ? { image } : {}),
      ...(gitSha ? { gitSha } : {}),
      ...(gitUrl ? { gitUrl } : {}),
      ...(isOutOfGit ? { managedByGit: true } : {}),
    },
    context.options,
  );
}

/** The image that an apply chose, where it is not simply the engine image of its time. */
function chosenImage(deployment: Manifest, options: JsonObject | undefined): string | undefined {
  const image = engineImageOf(deployment);
  return options === undefined || options.engineImage === image ? undefined : image;
}

/** Image of the container that runs the engine. */
export function engineImageOf(deployment: Manifest): string | undefined {
  const containers = podSpecOf(deployment)?.containers;
  const engine = Array.isArray(containers)
    ? (containers.find((container) => isJsonObject(container) && container.name === 'engine') ?? containers[0])
    : undefined;
  return isJsonObject(engine) && typeof engine.image === 'string' ? engine.image : undefined;
}

/** Name of the code ConfigMap that the pods of a tentacle mount. */
function codeConfigMapOf(deployment: Manifest, tentacle: string): string | undefined {
  const volumes = podSpecOf(deployment)?.volumes;
  if (!Array.isArray(volumes)) return undefined;
  const prefix = `${tentacle}-code-`;
  for (const volume of volumes) {
    const configMap = isJsonObject(volume) ? volume.configMap : undefined;
    const name = isJsonObject(configMap) ? configMap.name : undefined;
    if (typeof name === 'string' && name.startsWith(prefix)) return name;
  }
  return undefined;
}

function podSpecOf(deployment: Manifest): JsonObject | undefined {
  const template = deployment.spec?.template;
  const spec = isJsonObject(template) ? template.spec : undefined;
  return isJsonObject(spec) ? spec : undefined;
}

function sourceGone(enclave: string, name: string): TentacularError {
  return new TentacularError('not_found', `The stored source of "${name}" in the enclave "${enclave}" is gone.`, {
    hint: 'Call again with workflow and files.',
  });
}
