import { TentacularError } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import {
  assertStays,
  compareOne,
  conflictError,
  foreignError,
  needsWrite,
  type OnConflict,
  writeOne,
} from './apply-object.ts';
import type { ApplyRequest, ApplyResult } from './apply-request.ts';
import type { CallOptions } from './call.ts';
import type { FieldConflict } from './conflict.ts';
import { type Context, isoTime } from './context.ts';
import { objectKey } from './kinds.ts';
import { isOf, type LiveSet, readLive } from './live-set.ts';
import { interrupted, type Lock, takeLock } from './lock.ts';
import { type ObjectOutcome, outcomeOf } from './outcome.ts';
import { checkPlan, planDigest } from './plan.ts';
import { deleteLeftovers, deleteThis, findLeftovers, type Leftovers } from './prune.ts';
import { mergeSecret, secretName, secretServices } from './secret.ts';
import { settle } from './settle.ts';
import { stampDeployment } from './stamps.ts';

/** Begun again this often where others finish an apply in between. */
const maxRounds = 3;

/** Applies a rendered set; model.md, "How a set is applied". A crash between any two writes is mended by the same call. */
export async function applySet(context: Context, request: ApplyRequest): Promise<ApplyResult> {
  for (let round = 1; round <= maxRounds; round++) {
    const result = await attempt(context, request, round);
    if (result !== 'moved') return { ...result, missingSecrets: await missingOf(context, request, result) };
  }
  throw new TentacularError('conflict', `${request.rendered.name} is being changed by others all the time`, {
    hint: 'Look at its history, then try again.',
    retryable: true,
  });
}

/** Credentials may come from something else (External Secrets): its Secret is not ours to write, and holds them too. */
async function missingOf(
  { client }: Context,
  { rendered, secrets = {}, call = {} }: ApplyRequest,
  { missingSecrets }: ApplyResult,
): Promise<readonly string[]> {
  if (missingSecrets.length === 0) return missingSecrets;
  const ref = { apiVersion: 'v1', kind: 'Secret', namespace: rendered.enclave, name: secretName(rendered.name) };
  const there = secretServices(await client.get(ref, call)).filter((service) => secrets[service] !== null);
  return missingSecrets.filter((service) => !there.includes(service));
}

/** What an attempt has found out before it writes. */
interface Work {
  readonly context: Context;
  readonly request: ApplyRequest;
  readonly call: CallOptions;
  readonly live: LiveSet;
  /** In the order of writing, the Deployment last. */
  readonly desired: readonly Manifest[];
  readonly onConflict: OnConflict;
  readonly at: string;
}

async function attempt(context: Context, request: ApplyRequest, round: number): Promise<ApplyResult | 'moved'> {
  const { rendered, secrets = {} } = request;
  const call = request.call ?? {};
  const live = await readLive(
    context,
    {
      enclave: rendered.enclave,
      name: rendered.name,
      manifests: rendered.manifests,
      withSecret: rendered.secretServices.length > 0 || Object.keys(secrets).length > 0,
      whole: request.plan !== undefined,
      // What the caller saw is worth one round: after that it is old.
      ...(request.seen && round === 1 ? { seen: request.seen } : {}),
    },
    call,
  );
  request.admit?.(live.deployment);
  checkExpected(request, live);
  if (request.plan !== undefined) checkPlan(request.plan, planDigest(rendered, live, secrets));
  const secret = Object.keys(secrets).length > 0 ? mergeSecret(rendered, live.secret, secrets) : undefined;
  const work: Work = {
    context,
    request,
    call,
    live,
    desired: inOrder(rendered.manifests, secret),
    onConflict: request.onConflict ?? 'fail',
    at: request.stamps.at ?? isoTime(context),
  };
  return decide(work);
}

function inOrder(manifests: readonly Manifest[], secret: Manifest | undefined): Manifest[] {
  const last = manifests.filter((m) => m.kind === 'Deployment');
  const first = manifests.filter((m) => m.kind !== 'Deployment');
  return [...first, ...(secret ? [secret] : []), ...last];
}

function checkExpected({ expectedRevision, rendered }: ApplyRequest, live: LiveSet): void {
  if (expectedRevision === undefined || expectedRevision === live.revision) return;
  throw new TentacularError(
    'conflict',
    `${rendered.name} is at revision ${live.revision}, not at the expected ${expectedRevision}`,
    {
      hint: 'Look at wf_diff against the live state, then send the revision that you have seen.',
      details: { revision: live.revision },
    },
  );
}

async function decide(work: Work): Promise<ApplyResult | 'moved'> {
  const { context, request, live, desired, onConflict } = work;
  for (const object of desired) assertStays(live.objects.get(objectKey(object)));
  const compared = desired.map((object) =>
    compareOne(object, live.objects.get(objectKey(object)), { manager: context.manager, onConflict }),
  );
  const conflicts = compared.flatMap((comparison) => comparison.conflicts);
  if (conflicts.length > 0 && onConflict === 'fail') throw conflictError(conflicts);
  const settled = await settle(
    work.context,
    compared,
    { live, specHash: request.rendered.specHash, onConflict },
    work.call,
  );
  const cutOff = interrupted(live, request);
  const kept = onConflict === 'keep' ? conflicts : [];
  if (!settled.some(needsWrite) && !cutOff && live.deployment) return unchanged(work, kept);
  if (request.dryRun) return rehearse(work, settled.map(needsWrite), kept);
  const lock = await takeLock(context, request, live, work.call);
  if (lock === 'moved') return 'moved';
  const written = await writeAll(work, lock, settled.map(needsWrite));
  const leftovers = await leftoversOf(work, lock.revision);
  const pruned = await deleteLeftovers(context, leftovers, work.call);
  return result(work, {
    status: live.deployment ? 'updated' : 'created',
    applied: written.map((w) => w.outcome),
    pruned,
    revision: lock.revision,
    kept: written.flatMap((w) => w.kept),
    resumed: lock.resumed,
    deployment: written.at(-1)?.object,
  });
}

/** Nothing differs: nothing is written, but for what a cut-off prune has left behind. */
async function unchanged(work: Work, kept: readonly FieldConflict[]): Promise<ApplyResult> {
  const leftovers = await leftoversOf(work, undefined);
  const isClean = leftovers.objects.length + leftovers.revisions.length === 0;
  const dryRun = work.request.dryRun === true;
  const pruned = dryRun ? preview(leftovers) : await deleteLeftovers(work.context, leftovers, work.call);
  return result(work, {
    status: isClean ? 'unchanged' : 'updated',
    applied: work.desired.map((object) => outcomeOf(object, 'unchanged')),
    pruned,
    revision: work.live.revision,
    kept,
    resumed: !isClean && !dryRun,
    deployment: work.live.deployment,
  });
}

function preview(leftovers: Leftovers): ObjectOutcome[] {
  return leftovers.objects.map((object) => outcomeOf(object, 'deleted'));
}

function leftoversOf({ context, request, live, call }: Work, writing: number | undefined): Promise<Leftovers> {
  const { enclave, name, manifests } = request.rendered;
  return findLeftovers(context, { enclave, name, manifests, ...(writing ? { writing } : {}) }, live, call);
}

interface WrittenObject {
  readonly outcome: ObjectOutcome;
  readonly object: Manifest;
  readonly kept: readonly FieldConflict[];
}

/** Writes what differs, in order; takes back what it made for a tentacle that cannot come to be. */
async function writeAll(work: Work, lock: Lock, needed: readonly boolean[]): Promise<WrittenObject[]> {
  const written: WrittenObject[] = [];
  try {
    for (const [index, object] of work.desired.entries()) {
      written.push(await writeDesired(work, object, { needed: needed[index] !== false, revision: lock.revision }));
    }
    return written;
  } catch (error) {
    // A definite refusal ends this apply. Nobody shall have to wait for its lock; a new tentacle leaves nothing behind.
    if (error instanceof TentacularError && !error.retryable) {
      const mine = work.live.deployment || lock.resumed ? [] : written.filter((w) => w.outcome.outcome === 'created');
      await takeBack(work, [...mine.map((w) => w.object).reverse(), ...(lock.made ? [lock.made] : [])]);
    }
    throw error;
  }
}

async function writeDesired(
  work: Work,
  object: Manifest,
  options: { readonly needed: boolean; readonly revision: number; readonly dryRun?: boolean },
): Promise<WrittenObject> {
  const { context, request, live, onConflict, call, at } = work;
  const { enclave, name } = request.rendered;
  const current = live.objects.get(objectKey(object));
  const isDeployment = object.kind === 'Deployment';
  if (current && !options.needed && !isDeployment) {
    return { outcome: outcomeOf(object, 'unchanged'), object: current, kept: [] };
  }
  if (current && !isOf(current, enclave, name)) throw foreignError(current);
  const { revision } = options;
  const finish = (wanted: Manifest, found: Manifest | undefined) => {
    request.admit?.(found);
    return stampDeployment(wanted, found, { stamps: request.stamps, at, revision });
  };
  const written = await writeOne(context, object, current, {
    onConflict,
    call,
    dryRun: options.dryRun === true,
    always: isDeployment,
    isOurs: (m) => isOf(m, enclave, name),
    ...(isDeployment ? { finish } : {}),
  });
  return { outcome: outcomeOf(object, written.outcome), object: written.object, kept: written.kept };
}

async function takeBack({ context, call }: Work, objects: readonly Manifest[]): Promise<void> {
  for (const object of objects) {
    // Best effort: what stays is found by its labels, and goes with the next apply or remove.
    await deleteThis(context.writer, object, call).catch(() => false);
  }
}

/** What a real call would do, checked by the API server itself: each write as a server-side dry run. */
async function rehearse(work: Work, needed: readonly boolean[], kept: readonly FieldConflict[]): Promise<ApplyResult> {
  const { live, request } = work;
  const revision =
    interrupted(live, request)?.revision ?? Math.max(live.revisions[0]?.revision ?? 0, live.revision) + 1;
  const written: WrittenObject[] = [];
  for (const [index, object] of work.desired.entries()) {
    written.push(await writeDesired(work, object, { needed: needed[index] !== false, revision, dryRun: true }));
  }
  return result(work, {
    status: live.deployment ? 'updated' : 'created',
    applied: written.map((w) => w.outcome),
    pruned: preview(await leftoversOf(work, revision)),
    revision,
    kept,
    resumed: false,
    deployment: live.deployment,
  });
}

function result(
  { request, live }: Work,
  outcome: Omit<ApplyResult, 'specHash' | 'missingSecrets' | 'deployment'> & {
    readonly deployment: Manifest | undefined;
  },
): ApplyResult {
  const { rendered, secrets = {} } = request;
  const given = Object.keys(secrets).filter((service) => secrets[service] !== null);
  const stay = secretServices(live.secret).filter((service) => secrets[service] !== null);
  const present = new Set([...given, ...stay]);
  const { deployment, ...rest } = outcome;
  return {
    ...rest,
    specHash: rendered.specHash,
    missingSecrets: rendered.secretServices.filter((service) => !present.has(service)),
    ...(deployment ? { deployment } : {}),
  };
}
