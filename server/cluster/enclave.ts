import { annotationKeys } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { isSameAddress } from '../../constructs/model/members.ts';
import { isEnclaveName } from '../../constructs/model/names.ts';
import type { RenderedEnclave } from '../../constructs/source.ts';
import { ApiError, hasUnknownOutcome, isApiError } from './api-error.ts';
import { writeOne } from './apply-object.ts';
import { isEnclave } from './cache.ts';
import type { CallOptions } from './call.ts';
import { type Context, isoTime } from './context.ts';
import { type ObjectOutcome, outcomeOf } from './outcome.ts';
import { backoffMs, pause } from './pause.ts';
import { type EnclaveStamps, stampNamespace } from './stamps.ts';

export interface ProvisionResult {
  /** False where the enclave was there already with the same owner. */
  readonly created: boolean;
  /** The Namespace as the API server returned it. */
  readonly namespace: Manifest;
  readonly resources: readonly ObjectOutcome[];
}

export interface DeprovisionResult {
  /** Names of the tentacles that went (with `dryRun`: would go) with the namespace, sorted. */
  readonly tentacles: readonly string[];
  /** False where the namespace was still terminating when the wait ended, and with `dryRun`. */
  readonly namespaceDeleted: boolean;
}

export interface DeprovisionOptions {
  /** Tells what would go, deletes nothing. */
  readonly dryRun?: boolean;
  /** Default 60 000. */
  readonly waitMs?: number;
  /** Asked over the Namespace as it was read last, before it is deleted. Throws where the caller may not. */
  readonly admit?: (namespace: Manifest) => void;
  readonly call?: CallOptions;
}

/**
 * Rights and admission policies see a new namespace and its RoleBinding a moment later than we write them: refusals
 * are repeated this long.
 */
const settleMs = 10_000;
const defaultGoneMs = 60_000;

/**
 * Makes an enclave: the Namespace by POST, never adopted; then the RoleBinding, from which the control plane has its
 * rights in it; then the rest. The same call again completes what was cut off.
 */
export async function provisionEnclave(
  context: Context,
  rendered: RenderedEnclave,
  stamps: EnclaveStamps,
  call: CallOptions,
): Promise<ProvisionResult> {
  const wanted = rendered.manifests.find((m) => m.kind === 'Namespace');
  if (!wanted || !isEnclaveName(rendered.name)) {
    throw new TentacularError('invalid_input', `"${rendered.name}" cannot be an enclave`, {
      hint: 'Choose another name.',
    });
  }
  const stamped = stampNamespace(wanted, stamps, stamps.at ?? isoTime(context));
  const { namespace, created } = await makeNamespace(context, stamped, call);
  context.writer.remember(namespace);
  const resources: ObjectOutcome[] = [outcomeOf(namespace, created ? 'created' : 'unchanged')];
  // An enclave that was there may have been rendered from other input since (quota, members): only what is missing
  // is added to it then.
  const sameInput = created || hasAnnotations(namespace, wanted);
  resources.push(...(await writeParts(context, rendered, { isNew: created, update: sameInput }, call)));
  return { created, namespace, resources };
}

/** Brings what is in an enclave besides its Namespace into line with its rendering: after a change of quota. */
export function updateEnclaveParts(
  context: Context,
  rendered: RenderedEnclave,
  call: CallOptions,
): Promise<readonly ObjectOutcome[]> {
  return writeParts(context, rendered, { isNew: false, update: true }, call);
}

async function writeParts(
  context: Context,
  rendered: RenderedEnclave,
  options: { readonly isNew: boolean; readonly update: boolean },
  call: CallOptions,
): Promise<ObjectOutcome[]> {
  const resources: ObjectOutcome[] = [];
  const rest = rendered.manifests.filter((m) => m.kind !== 'Namespace');
  const isBinding = (m: Manifest) => m.kind === 'RoleBinding';
  for (const object of [...rest.filter(isBinding), ...rest.filter((m) => !isBinding(m))]) {
    resources.push(await writePart(context, object, options, call));
  }
  return resources;
}

async function makeNamespace(context: Context, stamped: Manifest, call: CallOptions) {
  const { name } = stamped.metadata;
  try {
    return { namespace: await context.writer.create(stamped, call), created: true };
  } catch (error) {
    if (!isApiError(error, 409) && !hasUnknownOutcome(error)) throw error;
    const there = await context.client.get({ apiVersion: 'v1', kind: 'Namespace', name }, call);
    if (!there) throw error;
    return { namespace: acceptExisting(there, stamped), created: false };
  }
}

/** A namespace of that name is taken for this enclave only if it is ours, not ending, and of the same owner. */
function acceptExisting(there: Manifest, wanted: Manifest): Manifest {
  const { name } = there.metadata;
  const refuse = (reason: string, hint: string) =>
    new TentacularError('conflict', `Cannot provision "${name}": ${reason}`, { hint });
  // The same for whatever is not his: whether an enclave has that name is told to those who may read it.
  const isHis = isEnclave(there) && sameOwner(there, wanted);
  if (!isHis) throw refuse('the name is taken', 'Choose another name.');
  if (there.metadata.deletionTimestamp) throw refuse('it is being deleted', 'Wait until it is gone, then try again.');
  return there;
}

function sameOwner(there: Manifest, wanted: Manifest): boolean {
  const read = (object: Manifest, key: string) => object.metadata.annotations?.[key] ?? '';
  const [theirSub, ourSub] = [read(there, annotationKeys.ownerSub), read(wanted, annotationKeys.ownerSub)];
  if (theirSub && ourSub) return theirSub === ourSub;
  // Two enclaves without any owner have nobody in common.
  return isSameAddress(read(there, annotationKeys.ownerEmail), read(wanted, annotationKeys.ownerEmail));
}

/** True where the live Namespace still carries everything that this rendering would write. */
function hasAnnotations(live: Manifest, rendered: Manifest): boolean {
  const annotations = live.metadata.annotations ?? {};
  return Object.entries(rendered.metadata.annotations ?? {}).every(([key, value]) => annotations[key] === value);
}

async function writePart(
  context: Context,
  object: Manifest,
  options: { readonly isNew: boolean; readonly update: boolean },
  call: CallOptions,
): Promise<ObjectOutcome> {
  const { apiVersion, kind, metadata } = object;
  const ref = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace ?? '' };
  const live = options.isNew ? undefined : await patiently(context, () => context.client.get(ref, call), call);
  if (live && !isPartOf(live, metadata.namespace)) {
    throw new TentacularError('conflict', `${describeObject(live)} exists and is not ours; it was left untouched`, {
      hint: 'Remove it, or choose another enclave.',
    });
  }
  if (live && !options.update) return outcomeOf(object, 'unchanged');
  const isOurs = (m: Manifest) => isPartOf(m, metadata.namespace);
  const written = await patiently(
    context,
    () => writeOne(context, object, live, { onConflict: 'fail', call, isOurs }),
    call,
  );
  return outcomeOf(object, written.outcome);
}

function isPartOf(object: Manifest, enclave: string | undefined): boolean {
  const labels = object.metadata.labels ?? {};
  return labels[labelKeys.managedBy] === managedBy && labels[labelKeys.enclave] === enclave;
}

/** Repeats what is refused for lack of rights that are on their way; everything else fails at once. */
async function patiently<T>(context: Context, write: () => Promise<T>, call: CallOptions): Promise<T> {
  const deadline = context.now() + settleMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!isOnItsWay(error) || context.now() >= deadline || call.signal?.aborted) throw error;
      await pause(backoffMs(attempt, { baseMs: 50, capMs: 1_000 }, context.random), call.signal);
    }
  }
}

function isOnItsWay(error: unknown): boolean {
  if (!(error instanceof ApiError)) return false;
  const { status } = error.failure;
  // 403: RBAC or an admission policy; 422: an admission policy that names no reason; 404: the namespace itself.
  return (
    (status === 403 && error.code !== 'quota_exceeded') ||
    status === 404 ||
    (status === 422 && error.code === 'policy_violation')
  );
}

/** Deletes an enclave's namespace, by uid, and waits until it is gone. */
export async function deprovisionEnclave(
  context: Context,
  name: string,
  options: DeprovisionOptions,
): Promise<DeprovisionResult> {
  const call = options.call ?? {};
  const namespace = await context.writer.readEnclave(name, call);
  if (!namespace) {
    throw new TentacularError('not_found', `There is no enclave "${name}"`, {
      hint: 'List the enclaves with enclave_list.',
    });
  }
  options.admit?.(namespace);
  const labels = { [labelKeys.managedBy]: managedBy, [labelKeys.enclave]: name };
  const query = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: name, labels, metadataOnly: true };
  const deployments = await context.client.list(query, call);
  const tentacles = deployments.flatMap((d) => d.metadata.labels?.[labelKeys.tentacle] ?? []).sort();
  if (options.dryRun) return { tentacles, namespaceDeleted: false };
  await deletePatiently(context, namespace, call);
  return { tentacles, namespaceDeleted: await isGone(context, namespace, options) };
}

async function deletePatiently(context: Context, namespace: Manifest, call: CallOptions): Promise<void> {
  try {
    await context.writer.delete(namespace, call);
  } catch (error) {
    // 409: it is terminating already, or another one of that name by now; the wait tells which.
    if (!isApiError(error, 409) && !hasUnknownOutcome(error)) throw error;
  }
}

async function isGone(
  context: Context,
  namespace: Manifest,
  options: { readonly waitMs?: number; readonly call?: CallOptions },
): Promise<boolean> {
  const { name, uid } = namespace.metadata;
  const deadline = context.now() + (options.waitMs ?? defaultGoneMs);
  for (let attempt = 1; ; attempt++) {
    const there = await context.client.get({ apiVersion: 'v1', kind: 'Namespace', name }, options.call ?? {});
    if (!there || there.metadata.uid !== uid) return true;
    if (context.now() >= deadline || options.call?.signal?.aborted) return false;
    await pause(backoffMs(attempt, { baseMs: 100, capMs: 1_000 }, context.random), options.call?.signal);
  }
}
