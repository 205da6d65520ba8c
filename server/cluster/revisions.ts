import { annotationKeys, annotationPrefix } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { tentacleLabels } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';
import { asManifest } from './client.ts';
import type { ApplyStamps } from './stamps.ts';

/** Revisions kept; the older ones go with the next apply. */
export const keptRevisions = 10;

/** Annotations of a revision ConfigMap beside those of the model: lists read these and no data. */
const sourceHashKey = `${annotationPrefix}source-hash`;
const codeKey = `${annotationPrefix}code`;
/** Set where a tentacle is removed and its history kept: without the Deployment nothing else says so. */
export const finishedKey = `${annotationPrefix}finished`;

/** One entry of a tentacle's history. */
export interface RevisionSummary {
  readonly revision: number;
  readonly specHash: string;
  readonly sourceHash: string;
  readonly version: string;
  /** ISO 8601. */
  readonly at: string;
  readonly by?: string;
  readonly via?: string;
  readonly gitSha?: string;
  readonly gitUrl?: string;
  /** False for the newest one where its apply was interrupted or is under way. */
  readonly finished: boolean;
  /** True for the one that the Deployment carries. */
  readonly live: boolean;
}

export interface StoredRevision extends Omit<RevisionSummary, 'finished' | 'live'> {
  /** The rendered set; the code ConfigMap is there without its data. Never a Secret. */
  readonly manifests: readonly Manifest[];
  readonly rendererOptions: JsonObject;
  readonly rendererVersion: string;
}

/** What a revision's metadata tell. */
export interface RevisionMark extends Omit<RevisionSummary, 'finished' | 'live'> {
  /** Name of the code ConfigMap that it names. */
  readonly code: string;
  /** Milliseconds since the epoch, by the API server's clock. */
  readonly createdAt: number;
  readonly closed: boolean;
  readonly object: Manifest;
}

export interface RevisionContent {
  readonly rendered: RenderedTentacle;
  readonly options: RendererOptions;
  readonly rendererVersion: string;
  readonly stamps: ApplyStamps;
  readonly git?: { readonly sha?: string; readonly url?: string };
}

export function revisionName(tentacle: string, revision: number): string {
  return `${tentacle}-rev-${revision}`;
}

/** Name of the code ConfigMap of a set. */
function codeNameOf(manifests: readonly Manifest[], tentacle: string): string {
  return (
    manifests.find((m) => m.kind === 'ConfigMap' && m.metadata.name.startsWith(`${tentacle}-code-`))?.metadata.name ??
    ''
  );
}

function withoutCode(manifest: Manifest): Manifest {
  if (manifest.kind !== 'ConfigMap') return manifest;
  const { data: _code, binaryData: _binary, ...rest } = manifest;
  return { ...rest, apiVersion: manifest.apiVersion, kind: manifest.kind, metadata: manifest.metadata };
}

/** The ConfigMap that records a revision and, by its creation, locks its number. */
export function revisionManifest(content: RevisionContent, revision: number, at: string): Manifest {
  const { rendered, stamps, git } = content;
  const optional: Record<string, string | undefined> = {
    [annotationKeys.deployedBy]: stamps.deployedBy,
    [annotationKeys.deployedVia]: stamps.deployedVia,
    [annotationKeys.gitSha]: git?.sha,
    [annotationKeys.gitUrl]: git?.url,
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: revisionName(rendered.name, revision),
      namespace: rendered.enclave,
      labels: tentacleLabels(rendered.enclave, rendered.name, rendered.version),
      annotations: {
        [annotationKeys.revision]: String(revision),
        [annotationKeys.specHash]: rendered.specHash,
        [annotationKeys.deployedAt]: at,
        [sourceHashKey]: rendered.sourceHash,
        [codeKey]: codeNameOf(rendered.manifests, rendered.name),
        ...Object.fromEntries(Object.entries(optional).filter((e): e is [string, string] => Boolean(e[1]))),
      },
    },
    immutable: true,
    data: {
      'revision.json': JSON.stringify({ version: rendered.version, rendererVersion: content.rendererVersion }),
      'options.json': JSON.stringify(content.options),
      'manifests.json': JSON.stringify(rendered.manifests.map(withoutCode)),
    },
  };
}

const namePattern = /-rev-([1-9]\d{0,9})$/;

/** Reads what a ConfigMap's metadata say of a revision; undefined where it is none. */
export function revisionMark(object: Manifest, tentacle: string): RevisionMark | undefined {
  const match = namePattern.exec(object.metadata.name);
  const revision = Number(match?.[1]);
  if (!match || object.metadata.name !== revisionName(tentacle, revision)) return undefined;
  const { annotations = {}, labels = {} } = object.metadata;
  const created = Date.parse(object.metadata.creationTimestamp ?? '');
  return {
    revision,
    specHash: annotations[annotationKeys.specHash] ?? '',
    sourceHash: annotations[sourceHashKey] ?? '',
    version: labels['app.kubernetes.io/version'] ?? '',
    at: annotations[annotationKeys.deployedAt] ?? object.metadata.creationTimestamp ?? '',
    code: annotations[codeKey] ?? '',
    createdAt: Number.isNaN(created) ? 0 : created,
    closed: annotations[finishedKey] === 'true',
    object,
    ...optionalText('by', annotations[annotationKeys.deployedBy]),
    ...optionalText('via', annotations[annotationKeys.deployedVia]),
    ...optionalText('gitSha', annotations[annotationKeys.gitSha]),
    ...optionalText('gitUrl', annotations[annotationKeys.gitUrl]),
  };
}

function optionalText<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

/** Revisions among a tentacle's ConfigMaps, newest first. */
export function revisionMarks(configMaps: readonly Manifest[], tentacle: string): RevisionMark[] {
  return configMaps.flatMap((object) => revisionMark(object, tentacle) ?? []).sort((a, b) => b.revision - a.revision);
}

/** Names of the code ConfigMaps that these revisions name. */
export function codeNames(marks: readonly RevisionMark[]): string[] {
  return marks.map((mark) => mark.code).filter(Boolean);
}

/** True where its apply has ended: the Deployment carries it or a later one. */
export function isFinished(mark: RevisionMark, liveRevision: number): boolean {
  return mark.closed || mark.revision <= liveRevision;
}

export function summaryOf(mark: RevisionMark, liveRevision: number): RevisionSummary {
  const { code: _code, createdAt: _createdAt, closed: _closed, object: _object, ...summary } = mark;
  return { ...summary, finished: isFinished(mark, liveRevision), live: mark.revision === liveRevision };
}

function parsed(data: JsonObject | undefined, key: string): JsonValue {
  const text = data?.[key];
  return JSON.parse(typeof text === 'string' ? text : 'null') as JsonValue;
}

function storedManifest(value: JsonValue): Manifest {
  const { apiVersion, kind } = isJsonObject(value) ? value : {};
  return asManifest(value, { apiVersion: String(apiVersion), kind: String(kind) }, 'read a stored revision');
}

/** Reads a whole revision back; `cluster_error` where somebody has put something else in its place. */
export function readRevision(configMap: Manifest, tentacle: string): StoredRevision {
  const mark = revisionMark(configMap, tentacle);
  try {
    const about = parsed(configMap.data, 'revision.json');
    const options = parsed(configMap.data, 'options.json');
    const manifests = parsed(configMap.data, 'manifests.json');
    if (!mark || !isJsonObject(about) || !isJsonObject(options) || !Array.isArray(manifests)) throw new Error('shape');
    const { code: _code, createdAt: _createdAt, closed: _closed, object: _object, ...summary } = mark;
    return {
      ...summary,
      version: String(about.version ?? summary.version),
      manifests: manifests.map(storedManifest),
      rendererOptions: options,
      rendererVersion: String(about.rendererVersion ?? ''),
    };
  } catch (cause) {
    throw new TentacularError('cluster_error', `ConfigMap ${configMap.metadata.name} does not hold a revision`, {
      hint: 'Apply the workflow again; that writes a new revision.',
      cause,
    });
  }
}
