import { annotationKeys } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isSameAddress, parseMembers } from '../../constructs/model/members.ts';
import { permissionsGet, permissionsSet } from '../api/permissions.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import type { OperationName } from '../authz/operations.ts';
import { enclaveScope, tentacleScope } from '../authz/scope.ts';
import type { Cluster } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import { checkedMode } from './checked-mode.ts';
import type { ToolDependencies } from './dependencies.ts';
import { annotationsFor, checkPlain, checkSubject, enclaveChange } from './enclave-change.ts';
import { knownPeople, personOf, tentaclesIn } from './known-people.ts';
import { ownerAnnotations, ownerIn, shownPermissions } from './ownership.ts';
import { authorStamps, type OwnerIdentity, ownerIdentity } from './provenance.ts';
import type { CallContext, Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Caller = ToolOutput<'permissions_get'>['caller'];
type Right = Caller['rights'][number]['right'];

const enclaveRights: readonly (readonly [Right, OperationName])[] = [
  ['read', 'enclave_info'],
  ['create', 'wf_create'],
  ['change_mode', 'enclave_permissions'],
  ['change_owner', 'enclave_permissions'],
  ['manage', 'enclave_sync'],
];
const tentacleRights: readonly (readonly [Right, OperationName])[] = [
  ['read', 'wf_status'],
  ['write', 'wf_update'],
  ['run', 'wf_run'],
  ['change_mode', 'tentacle_mode'],
  ['change_owner', 'tentacle_owner'],
];

export function permissionsGetTool(): Tool<'permissions_get'> {
  return {
    name: 'permissions_get',
    title: 'Show permissions',
    description: [
      'Tells who owns an enclave or a tentacle, its mode, and what you may do with it and by which rule.',
      'Use it when a call was refused with permission_denied, or before you ask for more rights. Both layers must allow: the enclave is the directory, the tentacle the file.',
    ].join('\n'),
    ...permissionsGet,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, context) {
      const { enclave, tentacle } = await admitted(input, context);
      const defaultMode = annotationsOf(enclave)[annotationKeys.defaultMode];
      return {
        ...placeOf(input),
        ...shownPermissions(enclave, tentacle),
        ...(defaultMode && !tentacle ? { default_mode: cleanText(defaultMode, textLimits.field) } : {}),
        caller: {
          role: roleOf(context, enclave, tentacle),
          rights: (tentacle ? tentacleRights : enclaveRights).map(([right, operation]) => {
            const { allowed, reason } = context.admission.explain(operation, enclave, tentacle);
            return { right, allowed, rule: cleanText(reason, textLimits.message) };
          }),
        },
      };
    },
  };
}

interface Place {
  readonly enclave: string;
  readonly name?: string | undefined;
}

function placeOf({ enclave, name }: Place) {
  return { enclave, ...(name === undefined ? {} : { name }) };
}

async function admitted({ enclave, name }: Place, { admission }: CallContext) {
  if (name !== undefined) return admission.tentacle('permissions_get', enclave, name);
  return { enclave: await admission.enclave('permissions_get', enclave), tentacle: undefined };
}

function roleOf({ principal }: CallContext, enclave: Manifest, tentacle: Manifest | undefined): Caller['role'] {
  if (principal.kind === 'token') return 'bearer';
  const scope = enclaveScope(principal, annotationsOf(enclave));
  if (scope === 'owner') return 'enclave-owner';
  return tentacle ? (tentacleScope(principal, annotationsOf(enclave), annotationsOf(tentacle)) ?? scope) : scope;
}

export function permissionsSetTool(deps: ToolDependencies): Tool<'permissions_set'> {
  return {
    name: 'permissions_set',
    title: 'Change permissions',
    description: [
      'Changes the mode or the owner of a tentacle, or of an enclave. A mode is nine characters like rwxr-x---, or a preset.',
      'The mode of a tentacle is for its owner and for the owner of the enclave; its owner only for the latter, who in this way adopts a tentacle that nobody owns.',
      'Use permissions_get first and show what would change. Not for members of an enclave (enclave_sync).',
    ].join('\n'),
    ...permissionsSet,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    run: (input, context) => {
      if (input.mode === undefined && input.owner === undefined) {
        throw invalidInput('Input of permissions_set', [{ path: 'mode', message: 'give mode, owner, or both' }]);
      }
      return input.name === undefined ? setEnclave(deps, input, context) : setTentacle(deps, input, context);
    },
  };
}

type Input = ToolInput<'permissions_set'>;
type Output = ToolOutput<'permissions_set'>;

async function setEnclave({ cluster }: ToolDependencies, input: Input, context: CallContext): Promise<Output> {
  const { admission } = context;
  const change = enclaveChange(
    {
      ...(input.mode === undefined ? {} : { new_mode: input.mode }),
      ...(input.owner === undefined
        ? {}
        : isAddress(input.owner)
          ? { new_owner: input.owner }
          : { new_owner_sub: input.owner }),
    },
    context.principal,
    { tool: 'permissions_set', fields: { new_mode: 'mode', new_owner: 'owner', new_owner_sub: 'owner' } },
  );
  await admission.enclave('enclave_permissions', input.enclave);
  const { before, after } = await cluster.annotateEnclave(
    input.enclave,
    (live) => {
      admission.still('enclave_permissions', live);
      return annotationsFor(change, live);
    },
    { ...takeOf(input), ...context.kube, stamps: authorStamps(context.principal) },
  );
  return { ...placeOf(input), before: shownPermissions(before), after: shownPermissions(after) };
}

async function setTentacle({ cluster }: ToolDependencies, input: Input, context: CallContext): Promise<Output> {
  const { admission } = context;
  const name = input.name ?? '';
  const faults: Fault[] = [];
  const mode = checkedMode('mode', input.mode, faults);
  (isAddress(input.owner) ? checkPlain : checkSubject)('owner', input.owner, faults);
  if (faults.length > 0) throw invalidInput('Input of permissions_set', faults);
  const operations = [
    ...(mode === undefined ? [] : (['tentacle_mode'] as const)),
    ...(input.owner === undefined ? [] : (['tentacle_owner'] as const)),
  ];
  const [first = 'tentacle_mode', ...more] = operations;
  const { enclave, tentacle } = await admission.tentacle(first, input.enclave, name);
  for (const operation of more) admission.still(operation, enclave, tentacle);
  const owner =
    input.owner === undefined
      ? {}
      : ownerAnnotations(await ownerWanted(cluster, { wanted: input.owner, enclave }, context));
  const { before, after } = await cluster.annotateDeployment(
    { enclave: input.enclave, name },
    (live) => {
      for (const operation of operations) admission.still(operation, enclave, live);
      return { ...(mode === undefined ? {} : { [annotationKeys.mode]: mode }), ...owner };
    },
    { ...takeOf(input), ...context.kube },
  );
  return { ...placeOf(input), before: shownPermissions(enclave, before), after: shownPermissions(enclave, after) };
}

/** An owner is named by his address or by his subject. */
function isAddress(owner: string | undefined): boolean {
  return owner?.includes('@') === true;
}

function takeOf({ on_conflict }: Input) {
  return { take: on_conflict === 'take' };
}

/** Somebody of whom only the subject is named, as far as what is live in the enclave tells of him. */
async function ownerWanted(
  cluster: Cluster,
  { wanted, enclave }: { readonly wanted: string; readonly enclave: Manifest },
  context: CallContext,
): Promise<OwnerIdentity> {
  const owner = knownOwner(wanted, enclave, context);
  if (owner.sub === undefined || owner.email) return owner;
  const people = knownPeople([enclave, ...(await tentaclesIn(cluster, enclave.metadata.name, context.kube))]);
  const members = parseMembers(annotationsOf(enclave)[annotationKeys.enclaveMembers]);
  return { ...personOf(owner.sub, people, members), ...owner };
}

/** A tentacle is owned by a subject: an address will do only where its subject is known. */
function knownOwner(wanted: string, enclave: Manifest, { principal }: CallContext): OwnerIdentity {
  const known = [ownerIn(enclave), ...(principal.kind === 'oidc' ? [ownerIdentity(principal)] : [])];
  const found = known.find(({ sub, email }) => sub && (sub === wanted || isSameAddress(email, wanted)));
  if (found) return found;
  if (!isAddress(wanted)) return { sub: wanted };
  throw invalidInput('Input of permissions_set', [
    {
      path: 'owner',
      message: 'is an address whose OIDC subject is not known here',
      found: wanted,
      allowed: 'an OIDC subject, your own address, or that of the owner of the enclave once he has logged in',
    },
  ]);
}
