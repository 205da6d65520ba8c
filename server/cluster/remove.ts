import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { prunedKinds, tentacleSelectorOf } from './live-set.ts';
import { type ObjectOutcome, outcomeOf } from './outcome.ts';
import { backoffMs, pause } from './pause.ts';
import { deleteThis } from './prune.ts';
import { codeNames, finishedKey, revisionMarks } from './revisions.ts';

export interface RemoveRequest {
  readonly enclave: string;
  readonly name: string;
  /** The revisions and the code that they name stay; credentials go all the same. Default false. */
  readonly keepHistory?: boolean;
  /** Lists exactly what would go, deletes nothing. */
  readonly dryRun?: boolean;
  /** Waits until no pod is left, at most this long. Default 0: looks once. */
  readonly waitMs?: number;
  /**
   * Asked over the Deployment as it was read last (its metadata), undefined where only remains are left; not at all
   * where nothing is. Throws where the caller may not.
   */
  readonly admit?: (deployment: Manifest | undefined) => void;
  readonly call?: CallOptions;
}

export interface RemoveResult {
  /** What went (with `dryRun`: what would), in order. Empty where there was nothing: removing twice is no error. */
  readonly deleted: readonly ObjectOutcome[];
  /** False where pods were still there when `waitMs` was over, and with `dryRun`. */
  readonly podsGone: boolean;
}

/**
 * Deletes everything with the tentacle's labels, found by the labels alone, so that the same call again completes what
 * was cut off. The Deployment goes last: it says whose the tentacle is for as long as anything of it is there.
 */
export async function removeTentacle(context: Context, request: RemoveRequest): Promise<RemoveResult> {
  const call = request.call ?? {};
  await context.writer.enclave(request.enclave, call);
  const { going, staying } = await divide(context, request, call);
  if (going.length > 0) request.admit?.(going.find(({ kind }) => kind === 'Deployment'));
  if (request.dryRun) return { deleted: going.map((m) => outcomeOf(m, 'deleted')), podsGone: false };
  const [newest] = revisionMarks(staying, request.name);
  // Without its Deployment the newest revision would look like an apply that was cut off a moment ago.
  if (newest && !newest.closed) await close(context, newest.object, call);
  const deleted: ObjectOutcome[] = [];
  for (const object of going) {
    if (await deleteThis(context.writer, object, call)) deleted.push(outcomeOf(object, 'deleted'));
  }
  return { deleted, podsGone: await waitForPods(context, request, call) };
}

async function divide(context: Context, request: RemoveRequest, call: CallOptions) {
  const [deployments = [], services = [], policies = [], configMaps = [], secrets = []] = await Promise.all(
    [...prunedKinds, { apiVersion: 'v1', kind: 'ConfigMap' }, { apiVersion: 'v1', kind: 'Secret' }].map((kind) => {
      const labels = tentacleSelectorOf(request.enclave, request.name);
      return context.client.list({ ...kind, namespace: request.enclave, labels, metadataOnly: true }, call);
    }),
  );
  const kept = request.keepHistory ? historyOf(configMaps, request.name) : new Set<string>();
  const staying = configMaps.filter((m) => kept.has(m.metadata.name));
  const leaving = configMaps.filter((m) => !kept.has(m.metadata.name));
  return { going: [...services, ...secrets, ...leaving, ...policies, ...deployments], staying };
}

/** Names of the revisions and of the code that they name. */
function historyOf(configMaps: readonly Manifest[], name: string): Set<string> {
  const marks = revisionMarks(configMaps, name);
  return new Set([...marks.map((mark) => mark.object.metadata.name), ...codeNames(marks)]);
}

async function close(context: Context, revision: Manifest, call: CallOptions): Promise<void> {
  const fields = { metadata: { annotations: { [finishedKey]: 'true' } } };
  await context.writer.applyFields(revision, fields, 'tentacular-history', call);
}

async function waitForPods(context: Context, request: RemoveRequest, call: CallOptions): Promise<boolean> {
  const deadline = context.now() + (request.waitMs ?? 0);
  const labels = tentacleSelectorOf(request.enclave, request.name);
  const query = { apiVersion: 'v1', kind: 'Pod', namespace: request.enclave, labels, metadataOnly: true };
  for (let attempt = 1; ; attempt++) {
    if ((await context.client.list(query, call)).length === 0) return true;
    if (context.now() >= deadline || call.signal?.aborted) return false;
    await pause(backoffMs(attempt, { baseMs: 100, capMs: 1_000 }, context.random), call.signal);
  }
}
