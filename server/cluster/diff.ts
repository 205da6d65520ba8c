import { createTwoFilesPatch } from 'diff';
import { stringify } from 'yaml';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { type Comparison, compareOne, needsWrite } from './apply-object.ts';
import type { ApplyRequest } from './apply-request.ts';
import type { CallOptions } from './call.ts';
import type { FieldConflict } from './conflict.ts';
import type { Context } from './context.ts';
import { objectKey } from './kinds.ts';
import { type LiveSet, readLive } from './live-set.ts';
import { interrupted } from './lock.ts';
import { planDigest } from './plan.ts';
import { findLeftovers } from './prune.ts';
import { describeSecretPatch, mergeSecret, type SecretChange } from './secret.ts';
import { dryRunOf, settle } from './settle.ts';
import { stampAnnotations } from './stamps.ts';

/** As an apply; the stamps are not needed since a diff leaves them out. */
export type DiffRequest = Pick<ApplyRequest, 'rendered' | 'secrets' | 'call'>;

export interface ObjectDiff {
  /** `Kind/namespace/name`. */
  readonly object: string;
  readonly kind: string;
  readonly name: string;
  readonly action: 'create' | 'update' | 'prune' | 'unchanged';
  /** Unified diff, live against what a server-side dry run would make of it; absent where nothing changes. Capped. */
  readonly diff?: string;
  /** Of a Secret: per service, never a value. */
  readonly secret?: Readonly<Record<string, SecretChange>>;
}

export interface DiffResult {
  readonly objects: readonly ObjectDiff[];
  /** True where an apply would write or prune anything. */
  readonly changed: boolean;
  /** sha256 over the source and the live objects (tools.md, wf_diff); `ApplyRequest.plan` takes it. */
  readonly plan: string;
  /** Live revision; 0 where the tentacle does not exist. */
  readonly revision: number;
  readonly conflicts: readonly FieldConflict[];
}

const maxDiffLength = 12_000;
const contextLines = 3;

/** What an apply would do, object by object, as the API server itself would do it. */
export async function diffSet(context: Context, request: DiffRequest): Promise<DiffResult> {
  const { rendered, secrets = {} } = request;
  const call = request.call ?? {};
  const withSecret = Object.keys(secrets).length > 0;
  const { enclave, name, manifests } = rendered;
  const live = await readLive(context, { enclave, name, manifests, withSecret, whole: true }, call);
  const secret = withSecret ? mergeSecret(rendered, live.secret, secrets) : undefined;
  const compared = [...manifests, ...(secret ? [secret] : [])].map((object) =>
    compareOne(object, live.objects.get(objectKey(object)), { manager: context.manager, onConflict: 'fail' }),
  );
  const settled = await settle(context, compared, { live, specHash: rendered.specHash, onConflict: 'take' }, call);
  const objects: ObjectDiff[] = [];
  for (const comparison of settled) {
    const { desired } = comparison;
    if (desired.kind === 'Secret') objects.push(secretEntry(comparison, live, request));
    else if (!needsWrite(comparison)) objects.push(entry(desired, 'unchanged'));
    else objects.push(await changeEntry(context, comparison.desired, comparison.live, call));
  }
  const leftovers = await findLeftovers(context, { enclave, name, manifests }, live, call);
  objects.push(...leftovers.objects.map((object) => entry(object, 'prune')));
  return {
    objects,
    changed: objects.some((object) => object.action !== 'unchanged') || interrupted(live, request) !== undefined,
    plan: planDigest(rendered, live, secrets),
    revision: live.revision,
    conflicts: compared.flatMap((comparison) => comparison.conflicts),
  };
}

function entry(object: Manifest, action: ObjectDiff['action']): ObjectDiff {
  return { object: describeObject(object), kind: object.kind, name: object.metadata.name, action };
}

/** Same or changed is told of each service given, also where nothing is to be written; values never. */
function secretEntry(comparison: Comparison, live: LiveSet, request: DiffRequest): ObjectDiff {
  const action = !needsWrite(comparison) ? 'unchanged' : live.secret ? 'update' : 'create';
  const secret = describeSecretPatch(request.rendered, live.secret, request.secrets ?? {});
  return { ...entry(comparison.desired, action), secret };
}

async function changeEntry(
  context: Context,
  desired: Manifest,
  live: Manifest | undefined,
  call: CallOptions,
): Promise<ObjectDiff> {
  if (!live) return { ...entry(desired, 'create'), diff: unifiedDiff(desired, undefined, desired) };
  const after = await dryRunOf(context, { desired, live }, 'take', call);
  return { ...entry(desired, 'update'), diff: unifiedDiff(desired, live, after) };
}

/** Unified diff of two states of an object as YAML, without bookkeeping; capped with a note. */
export function unifiedDiff(named: Manifest, before: Manifest | undefined, after: Manifest | undefined): string {
  const title = describeObject(named);
  const text = (object: Manifest | undefined) => (object ? stringify(shown(object), { lineWidth: 0 }) : '');
  const patch = createTwoFilesPatch(
    `live/${title}`,
    `desired/${title}`,
    text(before),
    text(after),
    undefined,
    undefined,
    {
      context: contextLines,
    },
  );
  const lines = patch.split('\n').filter((line) => !line.startsWith('=====') && !line.startsWith('\\ No newline'));
  const joined = lines.join('\n').trimEnd();
  return joined.length <= maxDiffLength ? joined : `${joined.slice(0, maxDiffLength)}\n… (diff cut)`;
}

const bookkeeping = new Set(['uid', 'resourceVersion', 'generation', 'creationTimestamp', 'managedFields', 'selfLink']);

/** What people compare: no status, no bookkeeping, no stamps. */
function shown(object: Manifest): JsonObject {
  const { status: _status, metadata, ...rest } = object;
  const { annotations, ...others } = Object.fromEntries(
    Object.entries(metadata).filter(([key]) => !bookkeeping.has(key)),
  ) as { [key: string]: JsonValue };
  const kept = isJsonObject(annotations) ? Object.entries(annotations).filter(([key]) => !isStamp(key)) : [];
  const { apiVersion, kind, ...body } = rest as { [key: string]: JsonValue };
  return {
    apiVersion,
    kind,
    metadata: { ...others, ...(kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {}) },
    ...body,
  } as JsonObject;
}

function isStamp(key: string): boolean {
  return stampAnnotations.has(key) || key === 'deployment.kubernetes.io/revision';
}

/** `not_found` in the words of a tentacle that is not there. */
export function noTentacle(enclave: string, name: string): TentacularError {
  return new TentacularError('not_found', `There is no tentacle "${name}" in "${enclave}"`, {
    hint: 'List the tentacles with wf_list.',
  });
}
