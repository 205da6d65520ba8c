import { annotationKeys, applyStampAnnotations } from '../../constructs/model/annotations.ts';
import { type Fault, faultsOf, invalidInput, TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject } from '../../constructs/model/json.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import { readCode, renderTentacle } from '../../constructs/render.ts';
import type { RenderedTentacle, TentacleSource } from '../../constructs/source.ts';
import { childPath } from '../../constructs/workflow/yaml-source.ts';
import { type ManifestDifference, manifestDifferences, objectText } from './manifest-difference.ts';
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
  const result = renderedFrom(sourceOf(input.enclave, tentacle, deployment, code), { deployment, code, options });
  const differences = manifestDifferences(manifests.map(withoutStamps), plain(result.manifests));
  if (differences.length > 0) throw notOurs(differences);
  return result;
}

/** Most faults and differences told at once. */
const maxFaults = 50;

/**
 * A rendering anew as one out of Git, with the same image. A tentacle that nobody owns by his subject belongs to the
 * owner of the enclave only for as long as it says that it comes out of Git: an update must not take that away.
 */
export function asOutOfGit(rendered: RenderedTentacle, options: RendererOptions): RenderedTentacle {
  const deployment = only(rendered.manifests, 'Deployment', () => true);
  const code = only(rendered.manifests, 'ConfigMap', () => true);
  const source = sourceOf(rendered.enclave, rendered.name, deployment, code);
  return renderedFrom({ ...source, managedByGit: true }, { deployment, code, options });
}

/** With the image of the given set, where that is another than the source itself would have, and allowed here. */
function renderedFrom(
  source: TentacleSource,
  given: { readonly deployment: Manifest; readonly code: Manifest; readonly options: RendererOptions },
): RenderedTentacle {
  const rendered = rendering(source, given.options);
  if ('faults' in rendered) throw invalidInput(`The source in ${objectText(given.code)}`, rendered.faults);
  const image = engineImageOf(given.deployment);
  if (image === undefined || image === imageOf(rendered)) return rendered;
  const withImage = rendering({ ...source, image }, given.options);
  // An image that may not be is told beside all that is wrong besides: as a field that differs.
  return 'faults' in withImage ? rendered : withImage;
}

function rendering(source: TentacleSource, options: RendererOptions): RenderedTentacle | { readonly faults: Fault[] } {
  try {
    return renderTentacle(source, options);
  } catch (error) {
    if (!(error instanceof TentacularError) || error.code !== 'invalid_input') throw error;
    return { faults: [...faultsOf(error)] };
  }
}

/** As JSON has it: without absent properties. */
function plain(manifests: readonly Manifest[]): Manifest[] {
  return JSON.parse(JSON.stringify(manifests)) as Manifest[];
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

/** What every Kubernetes object has, in the form in which it has it; all that is read of one before it is compared. */
function checkedManifests(given: readonly unknown[]): Manifest[] {
  const faults = given.flatMap((value, index) => manifestFaults(value, `manifests[${index}]`));
  if (faults.length > 0) throw invalidInput('Input of wf_apply', faults.slice(0, maxFaults));
  return given.filter(isManifest);
}

function isManifest(value: unknown): value is Manifest {
  return manifestFaults(value, '').length === 0;
}

function manifestFaults(value: unknown, path: string): Fault[] {
  if (!isJsonObject(value))
    return [{ path, message: 'is no object', allowed: 'a Kubernetes object, not its YAML text' }];
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  const faults: Fault[] = [];
  const text = (found: unknown, where: string, optional = false) => {
    if (typeof found === 'string' || (optional && found === undefined)) return;
    faults.push({ path: `${path}.${where}`, message: found === undefined ? 'is missing' : 'is no text' });
  };
  text(value.apiVersion, 'apiVersion');
  text(value.kind, 'kind');
  text(metadata.name, 'metadata.name');
  text(metadata.namespace, 'metadata.namespace', true);
  for (const field of ['labels', 'annotations'] as const) {
    const table = metadata[field];
    if (table === undefined) continue;
    if (!isJsonObject(table)) faults.push({ path: `${path}.metadata.${field}`, message: 'is no object of texts' });
    else for (const [key, item] of Object.entries(table)) text(item, childPath(`metadata.${field}`, key));
  }
  return faults;
}

function only(manifests: readonly Manifest[], kind: string, which: (manifest: Manifest) => boolean): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && which(manifest));
  const [first, ...more] = found;
  const what = kind === 'ConfigMap' ? 'code ConfigMap (<name>-code-<hash>)' : kind;
  if (first === undefined) {
    throw invalidInput('Input of wf_apply', [
      { path: 'manifests', message: `must hold the ${what} of one tentacle`, found: 'none', allowed: 'exactly one' },
    ]);
  }
  if (more.length > 0) {
    throw invalidInput(
      'Input of wf_apply',
      more.slice(0, maxFaults).map((manifest) => ({
        path: `manifests[${manifests.indexOf(manifest)}]`,
        message: `is one more ${what}`,
        found: objectText(manifest),
        allowed: 'exactly one',
      })),
    );
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

/** The stamps of a server count for nothing: they are neither compared nor taken over. */
function withoutStamps(manifest: Manifest): Manifest {
  const { annotations } = manifest.metadata;
  if (annotations === undefined) return manifest;
  const kept = Object.entries(annotations).filter(([key]) => !applyStampAnnotations.includes(key));
  return { ...manifest, metadata: { ...manifest.metadata, annotations: Object.fromEntries(kept) } };
}

function notOurs(differences: readonly ManifestDifference[]): TentacularError {
  const shown = differences.slice(0, maxFaults);
  const lines = shown.map(({ object, field, message }) => `- ${object}${field && ` ${field}`}: ${message}`);
  const more = differences.length - shown.length;
  if (more > 0) lines.push(`- and ${more} more`);
  return new TentacularError(
    'policy_violation',
    `The manifests are not what their source renders to on this cluster:\n${lines.join('\n')}`,
    {
      hint: 'Send workflow and files instead; or render again with the renderer options of this cluster and change nothing by hand.',
      details: { differences: shown.map((difference) => ({ ...difference })) },
    },
  );
}
