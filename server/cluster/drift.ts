import { TentacularError } from '../../constructs/model/errors.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { addedFields, withoutAdded } from './added-fields.ts';
import type { CallOptions } from './call.ts';
import { compareObject } from './compare.ts';
import type { FieldConflict } from './conflict.ts';
import type { Context } from './context.ts';
import { noTentacle, type ObjectDiff, unifiedDiff } from './diff.ts';
import { formatPath } from './field-path.ts';
import { objectKey } from './kinds.ts';
import { isOf, readLive } from './live-set.ts';
import { otherOwners } from './managed-fields.ts';
import { readRevision, revisionName } from './revisions.ts';
import { dryRunOf } from './settle.ts';
import { stampAnnotations } from './stamps.ts';

/** The live objects against the set that the live revision stored. */
export interface DriftResult {
  readonly revision: number;
  readonly drifted: boolean;
  readonly objects: readonly ObjectDiff[];
  /** Each field that no longer has the stored value, or is none of its own, with its owner (empty where there is none). */
  readonly fields: readonly FieldConflict[];
  /** How many of them somebody has added: an apply leaves those where they are. */
  readonly added: number;
}

export interface DriftRequest {
  readonly enclave: string;
  readonly name: string;
  readonly call?: CallOptions;
}

/** Compares what is live with what its revision stored; a missing object counts, an added one of ours too. */
export async function driftOf(context: Context, request: DriftRequest): Promise<DriftResult> {
  const { enclave, name } = request;
  const call = request.call ?? {};
  const first = await readLive(context, { enclave, name, manifests: [], withSecret: false, whole: true }, call);
  if (!first.deployment) throw noTentacle(enclave, name);
  const { revision } = first;
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: enclave, name: revisionName(name, revision) };
  const stored = await context.client.get(ref, call);
  if (!stored || !isOf(stored, enclave, name)) {
    throw new TentacularError('not_found', `Revision ${revision} of "${name}" is not stored any more`, {
      hint: 'Apply the workflow again; that stores a new revision.',
    });
  }
  const { manifests } = readRevision(stored, name);
  const code = new Map(first.configMaps.map((m) => [objectKey(m), m]));
  const objects: ObjectDiff[] = [];
  const fields: FieldConflict[] = [];
  let added = 0;
  for (const manifest of manifests) {
    const live = first.objects.get(objectKey(manifest)) ?? code.get(objectKey(manifest));
    const found = await driftOfOne(context, manifest, live, call);
    objects.push(found.entry);
    fields.push(...found.fields);
    added += found.added ?? 0;
  }
  return { revision, drifted: objects.some((o) => o.action !== 'unchanged'), objects, fields, added };
}

async function driftOfOne(context: Context, stored: Manifest, live: Manifest | undefined, call: CallOptions) {
  const entry = { object: describeObject(stored), kind: stored.kind, name: stored.metadata.name };
  if (!live) return { entry: { ...entry, action: 'create' as const }, fields: [] };
  // Code is immutable and named by its hash: that it is there is all there is to compare.
  if (stored.kind === 'ConfigMap') return { entry: { ...entry, action: 'unchanged' as const }, fields: [] };
  const options = { manager: context.manager, ignoredAnnotations: stampAnnotations };
  const differences = compareObject(stored, live, options);
  const added = addedFields(stored, live, context.manager);
  if (differences.length + added.length === 0) return { entry: { ...entry, action: 'unchanged' as const }, fields: [] };
  const after = differences.length > 0 ? await dryRunOf(context, { desired: stored, live }, 'take', call) : live;
  const diff = unifiedDiff(stored, live, withoutAdded(after, added));
  // Differences that are only written otherwise leave nothing to show.
  if (!/^[-+](?![-+])/m.test(diff)) return { entry: { ...entry, action: 'unchanged' as const }, fields: [] };
  const changed = differences.map(
    (difference): FieldConflict => ({
      object: entry.object,
      field: formatPath(difference.path),
      owner: otherOwners(live, difference.path, context.manager)[0] ?? '',
      ...(difference.ours === undefined ? {} : { ours: difference.ours }),
      ...(difference.theirs === undefined ? {} : { theirs: difference.theirs }),
    }),
  );
  const theirs = added.map(
    ({ path, owner, theirs }): FieldConflict => ({ object: entry.object, field: formatPath(path), owner, theirs }),
  );
  return {
    entry: { ...entry, action: 'update' as const, diff },
    fields: [...changed, ...theirs],
    added: theirs.length,
  };
}
