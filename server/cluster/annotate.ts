import { annotationKeys } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject } from '../../constructs/model/json.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { hasUnknownOutcome, isStale } from './api-error.ts';
import { conflictError } from './apply-object.ts';
import type { CallOptions } from './call.ts';
import type { FieldConflict } from './conflict.ts';
import { type Context, isoTime } from './context.ts';
import { formatPath } from './field-path.ts';
import { appliedFields, otherOwners } from './managed-fields.ts';
import { backoffMs, maxLost, movingBackoff, pause } from './pause.ts';
import type { EnclaveStamps } from './stamps.ts';

/** Writers of one object that meet: with each round at least one of them is done. */
const maxRounds = 30;
/** Field manager of what is said about an object after it was made: a whole apply leaves it alone. */
const annotationManager = 'tentacular-permissions';

type Annotations = Readonly<Record<string, string>>;

export interface AnnotateOptions extends CallOptions {
  /** Who changes it, stamped on where something changes. Not for a Deployment: there an apply stamps. */
  readonly stamps?: EnclaveStamps;
  /** Takes annotations that other managers own. Default: `conflict`. */
  readonly take?: boolean;
}

export interface Annotated {
  /** As it was just before the change; the same object as `after` where nothing changed. */
  readonly before: Manifest;
  readonly after: Manifest;
}

/**
 * Changes annotations of a live object: `change` is told what is there and returns what is to be set (an empty text
 * stands for "none"). Whatever moves meanwhile is read and asked again, so that no concurrent change is lost.
 * `read` rejects where there is no such object.
 */
export async function annotate(
  context: Context,
  read: () => Promise<Manifest>,
  change: (live: Manifest) => Annotations,
  options: AnnotateOptions,
): Promise<Annotated> {
  let lost: Manifest | undefined;
  let losses = 0;
  for (let round = 1; ; round++) {
    const live = await read();
    const wanted = differing(live, change(live));
    if (Object.keys(wanted).length === 0) return { before: lost ?? live, after: live };
    const conflicts = conflictsOf(live, wanted, context.manager);
    if (conflicts.length > 0 && !options.take) throw heldByOthers(conflicts);
    try {
      return { before: live, after: await write(context, live, wanted, options) };
    } catch (error) {
      if (!isStale(error) && !hasUnknownOutcome(error)) throw error;
      if (round >= maxRounds) throw keepsChanging(live, error);
      // The answer got lost, not necessarily the write: if it was carried out, this is what it changed.
      lost = hasUnknownOutcome(error) ? live : undefined;
      if (lost && ++losses >= maxLost) throw error;
      await pause(backoffMs(round, movingBackoff, context.random), options.signal);
    }
  }
}

function differing(live: Manifest, wanted: Annotations): Record<string, string> {
  const there = live.metadata.annotations ?? {};
  return Object.fromEntries(Object.entries(wanted).filter(([key, value]) => (there[key] ?? '') !== value));
}

/** Pinned to the version that was read. Force takes fields from our own creation of the object, seen above. */
async function write(context: Context, live: Manifest, wanted: Annotations, options: AnnotateOptions) {
  const { stamps, take: _take, ...call } = options;
  const stamped = stamps && {
    [annotationKeys.updatedAt]: stamps.at ?? isoTime(context),
    [annotationKeys.updatedBySub]: stamps.updatedBySub ?? '',
    [annotationKeys.updatedByEmail]: stamps.updatedByEmail ?? '',
  };
  // What this manager has set before is sent again: server-side apply would take away what is missing.
  const annotations = { ...setBefore(live), ...stamped, ...wanted };
  return context.writer.applyFields(live, { metadata: { annotations } }, annotationManager, { ...call, force: true });
}

function setBefore(live: Manifest): Record<string, string> {
  const metadata = appliedFields(live, annotationManager)?.['f:metadata'];
  const fields = isJsonObject(metadata) ? metadata['f:annotations'] : undefined;
  const there = live.metadata.annotations ?? {};
  const keys = isJsonObject(fields) ? Object.keys(fields).map((field) => field.slice(2)) : [];
  return Object.fromEntries(keys.flatMap((key) => (there[key] === undefined ? [] : [[key, there[key]]])));
}

function conflictsOf(live: Manifest, wanted: Annotations, manager: string): FieldConflict[] {
  return Object.entries(wanted).flatMap(([key, ours]): FieldConflict[] => {
    const theirs = live.metadata.annotations?.[key];
    if (theirs === undefined) return [];
    const path = [{ field: 'metadata' }, { field: 'annotations' }, { field: key }];
    const owner = otherOwners(live, path, annotationManager).find((name) => name !== manager);
    return owner === undefined ? [] : [{ object: describeObject(live), field: formatPath(path), owner, ours, theirs }];
  });
}

/** To keep theirs is no choice here: what was asked for is set, or it is not. */
function heldByOthers(conflicts: readonly FieldConflict[]): TentacularError {
  const { message, details } = conflictError(conflicts);
  return new TentacularError('conflict', message, {
    hint: 'Change it where it is kept, or set it from here with on_conflict: "take"; nothing was changed.',
    details: { ...details, choices: ['take'] },
  });
}

function keepsChanging(live: Manifest, cause: unknown): TentacularError {
  return new TentacularError('conflict', `${describeObject(live)} keeps changing; it was left as it is`, {
    hint: 'Others are changing it at the same time; try again.',
    retryable: true,
    cause,
  });
}
