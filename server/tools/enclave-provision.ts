import { annotationKeys } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput, TentacularError } from '../../constructs/model/errors.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { canonicalMember, isEmailAddress } from '../../constructs/model/members.ts';
import { enclaveNameRule, isEnclaveName } from '../../constructs/model/names.ts';
import type { OidcPrincipal, Principal } from '../../constructs/model/principal.ts';
import { isAboveDefaultQuota } from '../../constructs/model/quota.ts';
import { renderEnclave } from '../../constructs/render.ts';
import type { EnclaveSource } from '../../constructs/source.ts';
import { enclaveProvision } from '../api/enclave.ts';
import type { ToolInput } from '../api/tools.ts';
import { maxOwnEnclaves } from '../authz/policy.ts';
import { enclaveScope } from '../authz/scope.ts';
import { isEnclave } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import { checkedMode } from './checked-mode.ts';
import type { ToolDependencies } from './dependencies.ts';
import { checkSubject } from './enclave-change.ts';
import { enclaveRow } from './enclave-row.ts';
import { authorStamps, type OwnerIdentity, ownerIdentity } from './provenance.ts';
import type { CallContext, Tool } from './tool.ts';

type Input = ToolInput<'enclave_provision'>;

export function provisionTool(deps: ToolDependencies): Tool<'enclave_provision'> {
  return {
    name: 'enclave_provision',
    title: 'Provision an enclave',
    description: [
      'Makes an enclave: a team workspace with its own namespace, owner, members, quota and a network that denies everything by default. Tentacles live in enclaves.',
      'Use it once for a team, before the first wf_apply; you become its owner unless you name another. Calling it again with the same owner repairs what is missing and changes nothing else.',
      'Not for changing an enclave that exists (enclave_sync), and not for a namespace that somebody else made: such a name is answered with conflict.',
    ].join('\n'),
    ...enclaveProvision,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run(input, context) {
      const { admission, principal, kube } = context;
      const source = enclaveSource(input, principal);
      if (input.quota_preset && isAboveDefaultQuota(input.quota_preset)) admission.general('quota_above_default');
      if (!isForCaller(source, principal)) admission.general('enclave_for_others');
      admission.general('enclave_provision');
      const limited = limitedOwner(context);
      if (limited) await refuseTooMany(deps, context, { owner: limited, leaving: 1, besides: source.name });
      const rendered = renderEnclave(source, deps.rendererOptions);
      const { created, namespace, resources } = await deps.cluster.provision(rendered, authorStamps(principal), kube);
      if (limited && created) await undoTooMany(deps, context, { owner: limited, name: source.name });
      // Who makes one for somebody else may make it again, to repair it, and learns nothing of what became of it since.
      const isTold = created || admission.may('enclave_info', namespace);
      const asked = rendered.manifests.find(({ kind }) => kind === 'Namespace') ?? namespace;
      return {
        ...enclaveRow(isTold ? namespace : asked),
        exo_services: {},
        resources_created: resources.filter(({ outcome }) => outcome === 'created').map(({ object }) => object),
      };
    },
  };
}

function enclaveSource(input: Input, principal: Principal): EnclaveSource {
  const faults: Fault[] = [];
  if (!isEnclaveName(input.name)) {
    faults.push({ path: 'name', message: 'is reserved', found: input.name, allowed: enclaveNameRule });
  }
  const mode = checkedMode('mode', input.mode, faults);
  const defaultMode = checkedMode('default_mode', input.default_mode, faults);
  const owner = ownerOf(input, principal, faults);
  if (faults.length > 0) throw invalidInput('Input of enclave_provision', faults);
  return {
    name: input.name,
    ...(owner.email ? { ownerEmail: owner.email } : {}),
    ...(owner.sub ? { ownerSub: owner.sub } : {}),
    ...(owner.name ? { ownerName: owner.name } : {}),
    ...(input.members ? { members: input.members } : {}),
    ...(mode ? { mode } : {}),
    ...(defaultMode ? { defaultMode } : {}),
    ...(input.quota_preset ? { quotaPreset: input.quota_preset } : {}),
    ...(input.platform ? { platform: input.platform } : {}),
    ...(input.channel_id ? { channelId: input.channel_id } : {}),
    ...(input.channel_name ? { channelName: input.channel_name } : {}),
  };
}

/** The owner that the input names; a caller with an identity is it where the input names none, or himself. */
function ownerOf(input: Input, principal: Principal, faults: Fault[]): OwnerIdentity {
  const email = input.owner_email === undefined ? undefined : canonicalMember(input.owner_email);
  const sub = input.owner_sub;
  checkSubject('owner_sub', sub, faults);
  if (email !== undefined && !isEmailAddress(email)) {
    faults.push({ path: 'owner_email', message: 'is no e-mail address', found: email });
  }
  if (principal.kind === 'oidc') {
    const isCaller = sub === undefined ? email === undefined || email === principal.email : sub === principal.sub;
    const contradicts = email !== undefined && email !== principal.email;
    if (isCaller && !contradicts) return ownerIdentity(principal);
  } else if (email === undefined && sub === undefined) {
    faults.push({
      path: 'owner_email',
      message: 'is required: a bearer token has no identity that could own the enclave',
      allowed: 'the e-mail address of the owner',
    });
  }
  return { ...(email ? { email } : {}), ...(sub ? { sub } : {}) };
}

function isForCaller(source: EnclaveSource, principal: Principal): boolean {
  if (principal.kind === 'token') return true;
  // Neither his subject under the address of somebody else, nor the other way round.
  return source.ownerSub === principal.sub && (source.ownerEmail ?? principal.email) === principal.email;
}

/** The caller, where only so many enclaves may be his; provisioners by name and bearer callers have no limit. */
function limitedOwner({ admission, principal }: CallContext): OidcPrincipal | undefined {
  return principal.kind === 'oidc' && !admission.may('quota_above_default') ? principal : undefined;
}

async function refuseTooMany(
  { cluster }: ToolDependencies,
  { kube }: CallContext,
  ask: { readonly owner: OidcPrincipal; readonly leaving: number; readonly besides?: string },
): Promise<void> {
  const labels = { [labelKeys.managedBy]: managedBy };
  const namespaces = await cluster.reader.list({ apiVersion: 'v1', kind: 'Namespace', labels }, kube);
  const own = namespaces.filter((namespace) => isOwn(namespace, ask.owner) && namespace.metadata.name !== ask.besides);
  if (own.length + ask.leaving <= maxOwnEnclaves) return;
  throw new TentacularError('quota_exceeded', `You own ${own.length} enclaves; at most ${maxOwnEnclaves} are yours.`, {
    hint: 'Deprovision one that is not needed, or ask a provisioner of this installation. One that you handed over counts until its new owner takes it up.',
    details: { enclaves: own.map(({ metadata }) => metadata.name).sort() },
  });
}

/**
 * Also one that the caller has handed over and nobody has changed since: five at a time, each given to nobody, would be
 * any number, and in each of them he could stay a member.
 */
function isOwn(namespace: Manifest, owner: OidcPrincipal): boolean {
  const annotations = annotationsOf(namespace);
  const isHis = enclaveScope(owner, annotations) === 'owner' || annotations[annotationKeys.updatedBySub] === owner.sub;
  return isHis && isEnclave(namespace) && !namespace.metadata.deletionTimestamp;
}

/**
 * Counts again once the enclave is there: of calls at the same moment, each of which saw room, the last one sees all
 * of them and takes its own back.
 */
async function undoTooMany(
  deps: ToolDependencies,
  context: CallContext,
  { owner, name }: { readonly owner: OidcPrincipal; readonly name: string },
): Promise<void> {
  try {
    await refuseTooMany(deps, context, { owner, leaving: 0 });
  } catch (error) {
    if (error instanceof TentacularError && error.code === 'quota_exceeded') {
      await deps.cluster.deprovision(name, { waitMs: 0, call: context.kube });
    }
    throw error;
  }
}
