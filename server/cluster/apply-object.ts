import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { type ApiError, hasUnknownOutcome, isFieldConflict, isStale } from './api-error.ts';
import type { CallOptions } from './call.ts';
import { compareObject, type Difference } from './compare.ts';
import type { FieldConflict } from './conflict.ts';
import type { Context } from './context.ts';
import { formatPath, withoutPath } from './field-path.ts';
import { hasUpdated, otherOwners } from './managed-fields.ts';
import type { Outcome } from './outcome.ts';
import { backoffMs, maxLost, movingBackoff, movingRounds, pause } from './pause.ts';
import { stampAnnotations } from './stamps.ts';

/** `fail`: nothing is written and the conflicts are told; `take`: ours wins; `keep`: theirs stays. */
export type OnConflict = 'fail' | 'take' | 'keep';

/** A desired object beside the live one. */
export interface Comparison {
  /** What is to be applied; with `keep` without the fields that stay with their owners. */
  readonly desired: Manifest;
  readonly live: Manifest | undefined;
  readonly differences: readonly Difference[];
  readonly conflicts: readonly FieldConflict[];
}

/** Fields that somebody else holds at another value than ours. */
function conflictsOf(
  live: Manifest,
  differences: readonly Difference[],
  manager: string,
): [Difference, FieldConflict][] {
  return differences.flatMap((difference) => {
    if (difference.kind === 'extra' || sameJson(difference.ours, difference.theirs)) return [];
    const owner = otherOwners(live, difference.path, manager).find((name) => name !== manager);
    if (owner === undefined || difference.theirs === undefined) return [];
    const { ours, theirs } = live.kind === 'Secret' ? {} : difference;
    const conflict: FieldConflict = {
      object: describeObject(live),
      field: formatPath(difference.path),
      owner,
      ...(ours === undefined ? {} : { ours }),
      ...(theirs === undefined ? {} : { theirs }),
    };
    return [[difference, conflict]];
  });
}

function sameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Compares one object; with `keep`, fields in conflict are taken out of what we want. */
export function compareOne(
  desired: Manifest,
  live: Manifest | undefined,
  options: { readonly manager: string; readonly onConflict: OnConflict },
): Comparison {
  if (!live) return { desired, live, differences: [], conflicts: [] };
  const compared = (object: Manifest) =>
    compareObject(object, live, { manager: options.manager, ignoredAnnotations: stampAnnotations });
  const differences = compared(desired);
  const found = conflictsOf(live, differences, options.manager);
  const conflicts = found.map(([, conflict]) => conflict);
  if (options.onConflict !== 'keep' || found.length === 0) return { desired, live, differences, conflicts };
  const kept = found.reduce((object, [{ path }]) => dropField(object, path), desired);
  return { desired: kept, live, differences: compared(kept), conflicts };
}

function dropField(object: Manifest, path: Difference['path']): Manifest {
  const { metadata, ...rest } = object;
  const reduced = withoutPath({ ...(rest as { [key: string]: JsonValue }), metadata: { ...metadata } }, path);
  const kept = isJsonObject(reduced) ? reduced : {};
  // Identity always stays: only fields that others own are ever dropped.
  const labels = isJsonObject(kept.metadata) ? kept.metadata : {};
  const identity = { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) };
  return { ...kept, apiVersion: object.apiVersion, kind: object.kind, metadata: { ...labels, ...identity } };
}

export function needsWrite(comparison: Comparison): boolean {
  return !comparison.live || comparison.differences.length > 0;
}

/** The conflict as an error that carries the conflicts as data and the choices. */
export function conflictError(conflicts: readonly FieldConflict[]): TentacularError {
  const lines = conflicts.map((c) => `- ${c.object} ${c.field} is owned by "${c.owner}"`).join('\n');
  const count = conflicts.length === 1 ? '1 field is' : `${conflicts.length} fields are`;
  return new TentacularError('conflict', `${count} held at another value by somebody else:\n${lines}`, {
    hint: 'Choose on_conflict: "take" sets our values, "keep" leaves theirs; nothing was changed in these objects.',
    details: { conflicts: conflicts.map((c) => ({ ...c })), choices: ['take', 'keep'] },
  });
}

/** The error for an object of our name that is not ours: it stays as it is. */
export function foreignError(object: Manifest): TentacularError {
  return new TentacularError(
    'conflict',
    `${describeObject(object)} exists and is not of this tentacle; it was left untouched`,
    {
      hint: 'Give the tentacle another name, or remove that object if it is yours.',
      details: { object: describeObject(object) },
    },
  );
}

/** Refuses what is on its way out: whatever is written to it goes with it, a moment after it was told as done. */
export function assertStays(object: Manifest | undefined): void {
  if (object?.metadata.deletionTimestamp === undefined) return;
  throw new TentacularError('conflict', `${describeObject(object)} is being deleted; nothing was written to it`, {
    hint: 'Send the same call again once it is gone: it is then made anew.',
    details: { object: describeObject(object) },
  });
}

/** With this resourceVersion an apply may only create: the API server refuses it where anything of the name exists. */
const mustNotExist = '1';

export interface WriteOneOptions {
  readonly onConflict: OnConflict;
  readonly call: CallOptions;
  readonly dryRun?: boolean;
  /** Written even where nothing rendered differs: the Deployment takes its new revision. */
  readonly always?: boolean;
  /** Adds what is not rendered (stamps), knowing what is live. */
  readonly finish?: (desired: Manifest, live: Manifest | undefined) => Manifest;
  /** Tells ours from foreign objects of the same name. */
  readonly isOurs: (object: Manifest) => boolean;
}

export interface Written {
  readonly outcome: Outcome;
  readonly object: Manifest;
  readonly kept: readonly FieldConflict[];
}

/**
 * Writes one object: created with "must not exist", or applied onto exactly the version that was read. Whatever
 * moves in between is read again, `movingRounds` times at most; an answer that got lost is looked up, never repeated blindly.
 */
export async function writeOne(
  context: Context,
  desired: Manifest,
  live: Manifest | undefined,
  options: WriteOneOptions,
): Promise<Written> {
  let current = live;
  let created = false;
  let failure: ApiError | undefined;
  let losses = 0;
  for (let round = 1; round <= movingRounds; round++) {
    assertStays(current);
    const comparison = compareOne(desired, current, { manager: context.manager, onConflict: options.onConflict });
    const { conflicts } = comparison;
    if (conflicts.length > 0 && options.onConflict === 'fail') throw conflictError(conflicts);
    const kept = options.onConflict === 'keep' ? conflicts : [];
    const finished = options.finish?.(comparison.desired, current) ?? comparison.desired;
    const isAsWanted =
      current !== undefined && !needsWrite(comparison) && !(options.always && !carries(current, finished));
    if (current && isAsWanted) {
      const outcome = created ? 'created' : round > 1 && failure ? 'configured' : 'unchanged';
      return { outcome, object: current, kept };
    }
    try {
      const object = await send(context, finished, current, {
        ...options,
        force: options.onConflict === 'take' || ownLeftovers(comparison, context.manager),
      });
      const same = current !== undefined && object.metadata.resourceVersion === current.metadata.resourceVersion;
      return { outcome: current && !created ? (same ? 'unchanged' : 'configured') : 'created', object, kept };
    } catch (error) {
      const isLost = hasUnknownOutcome(error);
      if (!isFieldConflict(error) && !isStale(error) && !isLost) throw error;
      failure = error;
      if (isLost && ++losses >= maxLost) break;
      const before = current;
      await pause(backoffMs(round, movingBackoff, context.random), options.call.signal);
      current = await reread(context, desired, options.call);
      if (current && !options.isOurs(current)) throw foreignError(current);
      if (!before && current && isLost) created = true;
      if (isFieldConflict(error)) assertSeen(error, desired, current, context.manager, options.onConflict);
    }
  }
  throw failure ?? new TentacularError('conflict', `${describeObject(desired)} keeps changing`, { hint: 'Try again.' });
}

/** True where the live object carries every annotation that is to be stamped. */
function carries(live: Manifest, finished: Manifest): boolean {
  const annotations = live.metadata.annotations ?? {};
  return Object.entries(finished.metadata.annotations ?? {}).every(([key, value]) => annotations[key] === value);
}

/**
 * True where an earlier self of ours owns fields by POST (not by apply): the API server counts that as another owner,
 * although nobody else is robbed. The write is pinned to the version in which no other conflict was seen.
 */
function ownLeftovers(comparison: Comparison, manager: string): boolean {
  return comparison.live !== undefined && comparison.conflicts.length === 0 && hasUpdated(comparison.live, manager);
}

async function send(
  { writer }: Context,
  desired: Manifest,
  live: Manifest | undefined,
  options: WriteOneOptions & { readonly force: boolean },
): Promise<Manifest> {
  const { uid, resourceVersion } = live?.metadata ?? {};
  const precondition = uid && resourceVersion ? { uid, resourceVersion } : { resourceVersion: mustNotExist };
  const manifest = { ...desired, metadata: { ...desired.metadata, ...precondition } };
  return writer.apply(manifest, { ...options.call, dryRun: options.dryRun === true, force: options.force });
}

async function reread({ client }: Context, desired: Manifest, call: CallOptions): Promise<Manifest | undefined> {
  const { name, namespace } = desired.metadata;
  return client.get(
    { apiVersion: desired.apiVersion, kind: desired.kind, name, ...(namespace ? { namespace } : {}) },
    call,
  );
}

/** A field conflict that we cannot see in the live object either is told in the API server's own words. */
function assertSeen(
  error: ApiError,
  desired: Manifest,
  live: Manifest | undefined,
  manager: string,
  onConflict: OnConflict,
): void {
  if (compareOne(desired, live, { manager, onConflict: 'fail' }).conflicts.length > 0 && onConflict !== 'take') return;
  throw conflictError(
    error.failure.causes.map((cause) => ({
      object: describeObject(desired),
      field: cause.field,
      owner: /conflict with "([^"]*)"/.exec(cause.message)?.[1] ?? 'unknown',
    })),
  );
}
