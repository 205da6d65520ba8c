import { annotationKeys, applyStampAnnotations } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput, TentacularError } from '../../constructs/model/errors.ts';
import { canonicalJson, isJsonObject } from '../../constructs/model/json.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import { readCode, renderTentacle } from '../../constructs/render.ts';
import type { RenderedTentacle, TentacleSource } from '../../constructs/source.ts';
import { engineImageOf } from './source.ts';

/**
 * Rendered manifests as input. Nothing of them is applied as it came: the source that their code ConfigMap carries is
 * rendered anew, and the set must equal that rendering, object by object. So a manifest can hold nothing that our own
 * renderer would not have written for this cluster, whatever field an attacker thinks of.
 */
export function renderManifests(
  input: { readonly enclave: string; readonly name?: string | undefined; readonly manifests: readonly unknown[] },
  options: RendererOptions,
): RenderedTentacle {
  const manifests = checkedManifests(input.manifests);
  const deployment = only(manifests, 'Deployment', () => true);
  const tentacle = deployment.metadata.labels?.[labelKeys.tentacle] ?? deployment.metadata.name;
  const code = only(manifests, 'ConfigMap', ({ metadata }) => metadata.name.startsWith(`${tentacle}-code-`));
  checkPlace(input, deployment, tentacle);
  const source = sourceOf(input.enclave, tentacle, deployment, code);
  const rendered = renderTentacle(source, options);
  const image = engineImageOf(deployment);
  const withImage = image !== undefined && image !== imageOf(rendered) ? { ...source, image } : undefined;
  const result = withImage ? renderTentacle(withImage, options) : rendered;
  const differences = differencesBetween(manifests, result.manifests);
  if (differences.length > 0) throw notOurs(differences);
  return result;
}

function sourceOf(enclave: string, name: string, deployment: Manifest, code: Manifest): TentacleSource {
  const annotations = deployment.metadata.annotations ?? {};
  const gitSha = annotations[annotationKeys.gitSha];
  const gitUrl = annotations[annotationKeys.gitUrl];
  return {
    enclave,
    name,
    ...readCode(code),
    ...(gitSha ? { gitSha } : {}),
    ...(gitUrl ? { gitUrl } : {}),
    ...(annotations[annotationKeys.managedByGit] === 'true' ? { managedByGit: true } : {}),
  };
}

function checkedManifests(given: readonly unknown[]): Manifest[] {
  const faults: Fault[] = [];
  const manifests: Manifest[] = [];
  given.forEach((value, index) => {
    if (isManifest(value)) manifests.push(value);
    else faults.push({ path: `manifests.${index}`, message: 'needs apiVersion, kind and metadata.name' });
  });
  if (faults.length > 0) throw invalidInput('Input of wf_apply', faults);
  return manifests;
}

function isManifest(value: unknown): value is Manifest {
  return (
    isJsonObject(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    isJsonObject(value.metadata) &&
    typeof value.metadata.name === 'string' &&
    (value.metadata.labels === undefined || isJsonObject(value.metadata.labels)) &&
    (value.metadata.annotations === undefined || isJsonObject(value.metadata.annotations))
  );
}

function only(manifests: readonly Manifest[], kind: string, which: (manifest: Manifest) => boolean): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && which(manifest));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    const what = kind === 'ConfigMap' ? 'code ConfigMap (<name>-code-<hash>)' : kind;
    throw invalidInput('Input of wf_apply', [
      { path: 'manifests', message: `must hold exactly one ${what} of one tentacle`, found: found.length },
    ]);
  }
  return first;
}

function checkPlace(input: { enclave: string; name?: string | undefined }, deployment: Manifest, name: string): void {
  const faults: Fault[] = [];
  const { namespace } = deployment.metadata;
  if (namespace !== undefined && namespace !== input.enclave) {
    faults.push({ path: 'manifests', message: 'are of another enclave', found: namespace, allowed: input.enclave });
  }
  if (input.name !== undefined && input.name !== name) {
    faults.push({ path: 'manifests', message: 'are of another tentacle', found: name, allowed: input.name });
  }
  if (faults.length > 0) throw invalidInput('Input of wf_apply', faults);
}

function imageOf(rendered: RenderedTentacle): string | undefined {
  const deployment = rendered.manifests.find(({ kind }) => kind === 'Deployment');
  return deployment && engineImageOf(deployment);
}

/** Objects that only one side has, or that differ; the stamps of a server count for nothing. */
function differencesBetween(given: readonly Manifest[], ours: readonly Manifest[]): string[] {
  const wanted = new Map(ours.map((manifest) => [describeObject(manifest), comparable(manifest)]));
  const differences: string[] = [];
  for (const manifest of given) {
    const key = describeObject(manifest);
    const same = wanted.get(key);
    if (same === undefined) differences.push(`${key}: no object of this tentacle`);
    else if (same !== comparable(manifest)) differences.push(`${key}: differs from what its source renders to`);
    wanted.delete(key);
  }
  for (const key of wanted.keys()) differences.push(`${key}: missing`);
  return differences;
}

function comparable(manifest: Manifest): string {
  const annotations = Object.fromEntries(
    Object.entries(manifest.metadata.annotations ?? {}).filter(([key]) => !applyStampAnnotations.includes(key)),
  );
  const metadata = { ...manifest.metadata, annotations };
  return canonicalJson(JSON.parse(JSON.stringify({ ...manifest, metadata })));
}

function notOurs(differences: string[]): TentacularError {
  return new TentacularError(
    'policy_violation',
    `The manifests are not what their source renders to on this cluster:\n${differences.map((line) => `- ${line}`).join('\n')}`,
    {
      hint: 'Send workflow and files instead; or render again with the renderer options of this cluster and change nothing by hand.',
      details: { differences },
    },
  );
}
