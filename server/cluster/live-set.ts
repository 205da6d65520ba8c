import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { objectKey } from './kinds.ts';
import { type RevisionMark, revisionMarks } from './revisions.ts';
import { secretName } from './secret.ts';
import { revisionOf } from './stamps.ts';

/** Kinds that a set may lose objects of, ConfigMaps with code apart: listed by label, so that leftovers are seen. */
export const prunedKinds = [
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
] as const;

/** Everything of one tentacle that is in the cluster, each object read once. */
export interface LiveSet {
  readonly deployment: Manifest | undefined;
  /** Objects of ours by `objectKey`: the pruned kinds, and whatever else the set names. */
  readonly objects: ReadonlyMap<string, Manifest>;
  /** Every ConfigMap of the tentacle, metadata only. */
  readonly configMaps: readonly Manifest[];
  /** Newest first. */
  readonly revisions: readonly RevisionMark[];
  /** Revision that the Deployment carries; 0 where there is none. */
  readonly revision: number;
  readonly secret: Manifest | undefined;
}

export interface LiveQuery {
  readonly enclave: string;
  readonly name: string;
  readonly manifests: readonly Manifest[];
  /** Reads `<name>-secrets` too. */
  readonly withSecret: boolean;
  /** Reads everything even where the tentacle looks new. */
  readonly whole?: boolean;
  /** The Deployment as the caller has just read it. */
  readonly seen?: { readonly deployment: Manifest | undefined };
}

export function tentacleSelectorOf(enclave: string, name: string): Record<string, string> {
  return { [labelKeys.managedBy]: managedBy, [labelKeys.enclave]: enclave, [labelKeys.tentacle]: name };
}

/** True for an object that carries this tentacle's labels: ours to change. Anything else of its name is not. */
export function isOf(object: Manifest, enclave: string, name: string): boolean {
  const labels = object.metadata.labels ?? {};
  return Object.entries(tentacleSelectorOf(enclave, name)).every(([key, value]) => labels[key] === value);
}

/**
 * Reads what is live. A tentacle without Deployment and ConfigMaps is new: the rest is then not read, since every
 * object of it is created with "must not exist" anyway.
 */
export async function readLive(context: Context, query: LiveQuery, call: CallOptions): Promise<LiveSet> {
  const { client, writer } = context;
  const labels = tentacleSelectorOf(query.enclave, query.name);
  const namespace = query.enclave;
  const list = (kind: { apiVersion: string; kind: string }, metadataOnly = false) =>
    client.list({ ...kind, namespace, labels, metadataOnly }, call);
  const seen = query.seen?.deployment;
  const [deployments, configMaps] = await Promise.all([
    query.seen ? (seen && isOf(seen, query.enclave, query.name) ? [seen] : []) : list(prunedKinds[0]),
    list({ apiVersion: 'v1', kind: 'ConfigMap' }, true),
    writer.enclave(query.enclave, call),
  ]);
  const deployment = deployments.find((d) => d.metadata.name === query.name);
  const revisions = revisionMarks(configMaps, query.name);
  const isNew = !query.whole && deployments.length === 0 && configMaps.length === 0;
  const found = isNew ? [] : await readRest(context, query, configMaps, call);
  const objects = new Map([...deployments, ...found].map((object) => [objectKey(object), object]));
  const secret = found.find((object) => object.kind === 'Secret');
  return { deployment, objects, configMaps, revisions, revision: revisionOf(deployment), secret };
}

async function readRest(
  { client }: Context,
  query: LiveQuery,
  configMaps: readonly Manifest[],
  call: CallOptions,
): Promise<Manifest[]> {
  const namespace = query.enclave;
  const labels = tentacleSelectorOf(query.enclave, query.name);
  const listed = prunedKinds.slice(1).map((kind) => client.list({ ...kind, namespace, labels }, call));
  const isListed = (m: Manifest) => prunedKinds.some((k) => k.apiVersion === m.apiVersion && k.kind === m.kind);
  const exists = (m: Manifest) =>
    m.kind !== 'ConfigMap' || configMaps.some((configMap) => configMap.metadata.name === m.metadata.name);
  const named = query.manifests.filter((m) => !isListed(m) && exists(m));
  const refs = named.map((m) => ({ apiVersion: m.apiVersion, kind: m.kind, name: m.metadata.name, namespace }));
  if (query.withSecret) refs.push({ apiVersion: 'v1', kind: 'Secret', name: secretName(query.name), namespace });
  const [lists, single] = await Promise.all([
    Promise.all(listed),
    Promise.all(refs.map((ref) => client.get(ref, call))),
  ]);
  return [...lists.flat(), ...single.flatMap((m) => (m && isOf(m, query.enclave, query.name) ? [m] : []))];
}
