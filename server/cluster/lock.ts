import { TentacularError } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { hasUnknownOutcome, isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import { type Context, isoTime } from './context.ts';
import { isOf, type LiveSet } from './live-set.ts';
import {
  isFinished,
  type RevisionContent,
  type RevisionMark,
  revisionManifest,
  revisionMark,
  revisionName,
} from './revisions.ts';
import { revisionOf } from './stamps.ts';

/** An unfinished revision of another source holds the lock this long; then its writer is taken for dead. */
const lockAgeMs = 60_000;
const maxRounds = 5;

export interface Lock {
  readonly revision: number;
  /** True where an interrupted apply of the same source is completed. */
  readonly resumed: boolean;
  /** The revision's ConfigMap where this call made it, so that it may take it back. */
  readonly made: Manifest | undefined;
}

/** True where a revision records exactly this rendered set. */
function isSameSet(mark: RevisionMark, content: Pick<RevisionContent, 'rendered'>): boolean {
  return mark.specHash === content.rendered.specHash && mark.sourceHash === content.rendered.sourceHash;
}

/** The newest revision where it is unfinished and records exactly this set: an apply that was cut off. */
export function interrupted(live: LiveSet, content: Pick<RevisionContent, 'rendered'>): RevisionMark | undefined {
  const top = live.revisions[0];
  return top && !isFinished(top, live.revision) && isSameSet(top, content) ? top : undefined;
}

/**
 * Takes the lock by creating the next revision. `moved` where somebody finished an apply since `live` was read:
 * the caller begins again. `conflict` where another source is being applied right now.
 */
export async function takeLock(
  context: Context,
  content: RevisionContent,
  live: LiveSet,
  call: CallOptions,
): Promise<Lock | 'moved'> {
  const resumable = interrupted(live, content);
  if (resumable) return { revision: resumable.revision, resumed: true, made: undefined };
  const top = live.revisions[0];
  if (top && !isFinished(top, live.revision)) refuseIfHeld(top, context.now());
  let next = Math.max(top?.revision ?? 0, live.revision) + 1;
  for (let round = 1; round <= maxRounds; round++) {
    const made = await create(context, content, next, call);
    if (made) return { revision: next, resumed: false, made };
    const there = await readMark(context, content, next, call);
    // Deleted in between, or somebody else's ConfigMap of that name: the same or the next number.
    if (there === 'absent') continue;
    if (there !== 'foreign') {
      if (isFinished(there, await liveRevision(context, content, call))) return 'moved';
      if (isSameSet(there, content)) return { revision: next, resumed: true, made: undefined };
      refuseIfHeld(there, context.now());
    }
    next++;
  }
  throw new TentacularError('conflict', `The revisions of ${content.rendered.name} keep changing`, {
    hint: 'Others are applying the same tentacle; look at its history, then try again.',
    retryable: true,
  });
}

/** The new revision; undefined where something of that name exists (or may: the answer was lost). */
async function create(context: Context, content: RevisionContent, revision: number, call: CallOptions) {
  const manifest = revisionManifest(content, revision, content.stamps.at ?? isoTime(context));
  try {
    return await context.writer.create(manifest, call);
  } catch (error) {
    if (isApiError(error, 409, 'AlreadyExists') || hasUnknownOutcome(error)) return undefined;
    throw error;
  }
}

async function readMark({ client }: Context, content: RevisionContent, revision: number, call: CallOptions) {
  const { enclave, name } = content.rendered;
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: enclave, name: revisionName(name, revision) };
  const object = await client.get(ref, call);
  if (!object) return 'absent';
  return (isOf(object, enclave, name) && revisionMark(object, name)) || 'foreign';
}

async function liveRevision({ client }: Context, content: RevisionContent, call: CallOptions): Promise<number> {
  const { enclave, name } = content.rendered;
  return revisionOf(await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name }, call));
}

function refuseIfHeld(mark: RevisionMark, now: number): void {
  const ageMs = now - mark.createdAt;
  if (ageMs >= lockAgeMs) return;
  const by = mark.by ? ` by ${mark.by}` : '';
  throw new TentacularError(
    'conflict',
    `Another apply of this tentacle is under way (revision ${mark.revision}${by})`,
    {
      hint: `Wait for it and look at wf_diff; if it was cut off, it gives way after ${lockAgeMs / 1000} seconds.`,
      details: { revision: mark.revision, age_ms: ageMs },
      retryable: true,
    },
  );
}
