import { annotationKeys } from '../../constructs/model/annotations.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { parseMembers } from '../../constructs/model/members.ts';
import { isAboveDefaultQuota, isQuotaPreset, type QuotaPresetName } from '../../constructs/model/quota.ts';
import { renderEnclave } from '../../constructs/render.ts';
import { enclaveSync } from '../api/enclave.ts';
import type { ToolOutput } from '../api/tools.ts';
import { annotationsOf } from './admission.ts';
import type { ToolDependencies } from './dependencies.ts';
import { annotationsFor, changedFields, type EnclaveChange, enclaveChange } from './enclave-change.ts';
import { enclaveRow } from './enclave-row.ts';
import { knownPeople, memberNameIn, memberNamesOf, tentaclesIn } from './known-people.ts';
import { ownerAnnotations, ownerIn } from './ownership.ts';
import { rowsWithin } from './page.ts';
import { authorStamps } from './provenance.ts';
import type { CallContext, Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Transfers = ToolOutput<'enclave_sync'>['transfers'];

/** Changes of the quota by others that one call follows; theirs follow too. */
const maxQuotaRounds = 5;
/** Characters that the transfers in one reply may take. */
const transfersBudget = 20_000;

export function syncTool(deps: ToolDependencies): Tool<'enclave_sync'> {
  return {
    name: 'enclave_sync',
    title: 'Change an enclave',
    description: [
      'Changes an enclave that exists: members, owner, permissions, quota, channel; freezes it, or sets it active again. Only its owner may.',
      'Send only what is to change. add_members and remove_members are safe beside others who do the same at that moment; members replaces the whole list.',
      'Tentacles of removed members go to the owner of the enclave. Not for permissions of one tentacle (permissions_set).',
    ].join('\n'),
    ...enclaveSync,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run({ name, on_conflict, ...input }, context) {
      const { admission } = context;
      const change = enclaveChange(input, context.principal);
      await admission.enclave('enclave_sync', name);
      const { before, after } = await deps.cluster.annotateEnclave(
        name,
        (live) => {
          refuseQuota(input.new_quota_preset, live, context);
          admission.still('enclave_sync', live);
          return annotationsFor(change, live);
        },
        { ...context.kube, stamps: authorStamps(context.principal), take: on_conflict === 'take' },
      );
      if (input.new_quota_preset) await applyQuota(deps, context, { name, preset: input.new_quota_preset });
      const transfers = await transferTentacles(deps, context, { change, enclave: after });
      return {
        enclave: enclaveRow(after),
        updated: changedFields(before, after),
        transfers: rowsWithin(transfers, transfersBudget),
      };
    },
  };
}

/** More than the default is for provisioners by name; what the enclave has already needs nobody. */
function refuseQuota(preset: QuotaPresetName | undefined, enclave: Manifest, { admission }: CallContext): void {
  if (!preset || !isAboveDefaultQuota(preset) || annotationsOf(enclave)[annotationKeys.quotaPreset] === preset) return;
  admission.general('quota_above_default');
}

/**
 * Also where the annotation says so already: a call that was cut off is completed by the same call. And again where
 * the annotation has moved on meanwhile: whoever writes the quota last must write what the annotation says.
 */
async function applyQuota(
  { cluster, rendererOptions }: ToolDependencies,
  { kube }: CallContext,
  { name, preset }: { readonly name: string; readonly preset: QuotaPresetName },
): Promise<void> {
  let wanted: string = preset;
  for (let round = 1; round <= maxQuotaRounds && isQuotaPreset(wanted); round++) {
    await cluster.updateEnclaveParts(renderEnclave({ name, quotaPreset: wanted }, rendererOptions), kube);
    const live = await cluster.enclave(name, kube);
    const now = live && annotationsOf(live)[annotationKeys.quotaPreset];
    if (!now || now === wanted) return;
    wanted = now;
  }
}

/** Tentacles of those whom the call has removed go to the owner of the enclave; again, where it was cut off before. */
async function transferTentacles(
  { cluster }: ToolDependencies,
  { kube }: CallContext,
  { change, enclave }: { readonly change: EnclaveChange; readonly enclave: Manifest },
): Promise<Transfers> {
  if (!change.members && change.removed.length === 0) return [];
  const namespace = enclave.metadata.name;
  const tentacles = await tentaclesIn(cluster, namespace, kube);
  const leaverOf = leavers(change, enclave, memberNamesOf(knownPeople([enclave, ...tentacles])));
  const byOwnName = leavers(change, enclave, new Map());
  // What names a leaver itself goes last: until then it tells whose the others are, also after this call is cut off.
  const leaving = tentacles
    .filter((one) => leaverOf(one) !== undefined)
    .sort((a, b) => Number(byOwnName(a) !== undefined) - Number(byOwnName(b) !== undefined));
  const owner = ownerAnnotations(ownerIn(enclave));
  const transfers: Transfers = [];
  for (const { metadata } of leaving) {
    const { before, after } = await cluster.annotateDeployment(
      { enclave: namespace, name: metadata.name },
      (live) => (leaverOf(live) === undefined ? {} : owner),
      { ...kube, take: true },
    );
    if (before === after) continue;
    transfers.push({ name: metadata.name, from: cleanText(leaverOf(before) ?? '', textLimits.field) });
  }
  return transfers;
}

/**
 * Tells as whom the owner of a tentacle is no longer a member by this call; undefined where he is none of those, is a
 * member by another name of his, or owns the enclave.
 * @param known Names as a member, by subject.
 */
function leavers(
  change: EnclaveChange,
  enclave: Manifest,
  known: ReadonlyMap<string, ReadonlySet<string>>,
): (tentacle: Manifest) => string | undefined {
  const members = parseMembers(annotationsOf(enclave)[annotationKeys.enclaveMembers]);
  const ofEnclave = ownerIn(enclave);
  const staying = new Set([...members, memberNameIn(ofEnclave)]);
  return (tentacle) => {
    const owner = ownerIn(tentacle);
    if (owner.sub === undefined || owner.sub === ofEnclave.sub) return undefined;
    const recorded = memberNameIn(owner);
    const names = [...(recorded === undefined ? [] : [recorded]), ...(known.get(owner.sub) ?? [])];
    if (names.some((name) => staying.has(name))) return undefined;
    return change.members ? names[0] : names.find((name) => change.removed.includes(name));
  };
}
