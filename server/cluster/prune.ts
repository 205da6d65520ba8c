import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { objectKey } from './kinds.ts';
import { type LiveSet, prunedKinds, tentacleSelectorOf } from './live-set.ts';
import { type ObjectOutcome, outcomeOf } from './outcome.ts';
import { keptRevisions } from './revisions.ts';

export interface PruneQuery {
  readonly enclave: string;
  readonly name: string;
  /** The set that is (about to be) live. */
  readonly manifests: readonly Manifest[];
  /** Revisions that exist once the apply is through beside those in `live`: the one being written. */
  readonly writing?: number;
}

export interface Leftovers {
  /** Objects with our labels that the set no longer holds; code only where nothing names it any more. */
  readonly objects: readonly Manifest[];
  /** Revisions beyond those that are kept. */
  readonly revisions: readonly Manifest[];
}

/**
 * What the set no longer holds, over a fixed list of kinds: never history, ledger or Secrets. Code goes only where no
 * kept revision and no ReplicaSet names it, so that every rollback and every old pod finds its code.
 */
export async function findLeftovers(
  { client }: Context,
  query: PruneQuery,
  live: LiveSet,
  call: CallOptions,
): Promise<Leftovers> {
  const wanted = new Set(query.manifests.map(objectKey));
  const isPruned = (m: Manifest) => prunedKinds.some((k) => k.apiVersion === m.apiVersion && k.kind === m.kind);
  const objects = [...live.objects.values()].filter((m) => isPruned(m) && !wanted.has(objectKey(m)));
  const numbers = new Set([...live.revisions.map((mark) => mark.revision), ...(query.writing ? [query.writing] : [])]);
  const kept = new Set([...numbers].sort((a, b) => b - a).slice(0, keptRevisions));
  kept.add(live.revision);
  const old = live.revisions.filter((mark) => !kept.has(mark.revision));
  const named = new Set(live.revisions.filter((mark) => kept.has(mark.revision)).map((mark) => mark.code));
  const code = live.configMaps.filter(
    (m) =>
      m.metadata.name.startsWith(`${query.name}-code-`) && !wanted.has(objectKey(m)) && !named.has(m.metadata.name),
  );
  if (code.length > 0) {
    const labels = tentacleSelectorOf(query.enclave, query.name);
    const sets = await client.list(
      { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: query.enclave, labels },
      call,
    );
    const mounted = new Set(sets.flatMap(configMapsOf));
    objects.push(...code.filter((m) => !mounted.has(m.metadata.name)));
  }
  return { objects, revisions: old.map((mark) => mark.object) };
}

/** Names of the ConfigMaps that the pods of a ReplicaSet or Deployment mount. */
function configMapsOf(owner: Manifest): string[] {
  const template = isJsonObject(owner.spec?.template) ? owner.spec.template : {};
  const pod = isJsonObject(template.spec) ? template.spec : {};
  const nameIn = (value: JsonValue | undefined) =>
    isJsonObject(value) && isJsonObject(value.configMap) ? String(value.configMap.name ?? '') : '';
  return (Array.isArray(pod.volumes) ? pod.volumes : []).flatMap((volume) => {
    if (!isJsonObject(volume)) return [];
    const projected = isJsonObject(volume.projected) ? volume.projected.sources : undefined;
    return [nameIn(volume), ...(Array.isArray(projected) ? projected.map(nameIn) : [])].filter(Boolean);
  });
}

/** Deletes leftovers by uid; one that is gone already, or made anew by somebody else, is left out. */
export async function deleteLeftovers(
  { writer }: Context,
  leftovers: Leftovers,
  call: CallOptions,
): Promise<ObjectOutcome[]> {
  const outcomes: ObjectOutcome[] = [];
  for (const object of leftovers.objects) {
    if (await deleteThis(writer, object, call)) outcomes.push(outcomeOf(object, 'deleted'));
  }
  for (const revision of leftovers.revisions) await deleteThis(writer, revision, call);
  return outcomes;
}

/** Deletes exactly this object; false where it is no longer there. */
export async function deleteThis(writer: Context['writer'], object: Manifest, call: CallOptions): Promise<boolean> {
  try {
    return await writer.delete(object, call);
  } catch (error) {
    // The uid is another one by now: what we wanted gone is gone.
    if (isApiError(error, 409)) return false;
    throw error;
  }
}
