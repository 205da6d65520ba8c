import { retiredAnnotationPrefix } from '../../constructs/model/annotations.ts';
import type { ErrorCode } from '../../constructs/model/errors.ts';
import type { OidcPrincipal, Principal } from '../../constructs/model/principal.ts';
import { type EnclaveRight, type Operation, type OperationName, operations, type TentacleRight } from './operations.ts';
import { type AuthzPolicy, isNamedProvisioner, provisionerRule } from './policy.ts';
import {
  type Annotations,
  bitsOf,
  enclaveModeOf,
  enclaveScope,
  isFrozen,
  memberNameOf,
  type Scope,
  tentacleModeOf,
  tentacleScope,
} from './scope.ts';

/** Everything that a decision rests on; nothing else has any influence on it. */
export interface Question {
  readonly principal: Principal;
  readonly policy: AuthzPolicy;
  readonly operation: OperationName;
  /** Annotations of the namespace; absent where the operation is about no enclave. */
  readonly enclave?: Annotations;
  /** Annotations of the Deployment; absent where the operation is about no tentacle, or about all of an enclave. */
  readonly tentacle?: Annotations;
}

export interface Allowed {
  readonly allowed: true;
  /** By which rule, in words: for the audit record and for the caller. */
  readonly reason: string;
}

export interface Denied {
  readonly allowed: false;
  /** The true reason. Where the code is `not_found` it is for the audit record only. */
  readonly reason: string;
  /** `not_found`: the caller may not know that it exists, and is answered as if it did not. */
  readonly code: Extract<ErrorCode, 'permission_denied' | 'no_owner' | 'frozen' | 'not_found'>;
  /** With `not_found`: what must seem absent. */
  readonly hides?: 'enclave' | 'tentacle';
}

/** A decision and its reason. */
export type Decision = Allowed | Denied;

/** May this caller do this, here? Both layers of model.md, pure over data. */
export function decide(question: Question): Decision {
  const operation: Operation = operations[question.operation];
  const decision = judge(question, operation);
  // Last: who may not do it at all does not learn from the refusal that the enclave is frozen.
  if (decision.allowed && operation.refusedWhenFrozen && isFrozen(question.enclave ?? {})) {
    return { allowed: false, code: 'frozen', reason: 'the enclave is frozen' };
  }
  return decision;
}

function judge({ principal, policy, enclave, tentacle }: Question, operation: Operation): Decision {
  if (!policy.enabled) return { allowed: true, reason: 'the evaluator is turned off (TENTACULAR_AUTHZ_ENABLED=false)' };
  if (principal.kind === 'token') {
    return { allowed: true, reason: 'a bearer token carries no identity and bypasses the evaluator' };
  }
  if (operation.caller) return judgeCaller(principal, policy, operation.caller);
  if (!operation.enclave || !enclave) return { allowed: true, reason: 'any authenticated caller may ask' };
  return judgeLayers(principal, operation, { enclave, tentacle });
}

function judgeCaller(
  principal: OidcPrincipal,
  policy: AuthzPolicy,
  caller: NonNullable<Operation['caller']>,
): Decision {
  if (caller === 'named-provisioner') {
    if (isNamedProvisioner(principal, policy)) return { allowed: true, reason: 'the caller is a provisioner by name' };
    return denied('only provisioners by name (authz.provisioners) and bearer callers may');
  }
  const rule = provisionerRule(principal, policy);
  if (rule) return { allowed: true, reason: rule };
  const unverified = memberNameOf(principal) === undefined ? '; the e-mail address of the caller is not verified' : '';
  const program = principal.service ? '; a service account needs to be listed there by name (client:<id>)' : '';
  return denied(`making enclaves is for those in authz.provisioners${program || unverified}`);
}

interface Subject {
  readonly enclave: Annotations;
  readonly tentacle: Annotations | undefined;
}

function judgeLayers(principal: OidcPrincipal, operation: Operation, { enclave, tentacle }: Subject): Decision {
  const scope = enclaveScope(principal, enclave);
  if (scope === 'owner') return { allowed: true, reason: 'the caller owns the enclave' };
  const first = judgeEnclave(operation.enclave ?? 'r', scope, enclaveModeOf(enclave), hintFor(principal));
  if (!first.allowed || !operation.tentacle || !tentacle) return first;
  const second = judgeTentacle(operation.tentacle, principal, { enclave, tentacle });
  return second.allowed ? { allowed: true, reason: `${first.reason}; ${second.reason}` } : second;
}

function judgeEnclave(right: EnclaveRight, scope: Scope, mode: string, hint: string): Decision {
  const bits = bitsOf(mode, scope);
  if (right !== 'owner' && bits.includes(right)) return { allowed: true, reason: `enclave: ${scope} has ${right}` };
  const reason =
    right === 'owner'
      ? `only the owner of the enclave may; the caller is ${scope}${hint}`
      : `enclave: ${scope} has ${bits} of ${mode}, ${right} is needed${hint}`;
  return bits.includes('r') ? denied(reason) : { ...denied(reason), code: 'not_found', hides: 'enclave' };
}

function judgeTentacle(
  right: TentacleRight,
  principal: OidcPrincipal,
  { enclave, tentacle }: { readonly enclave: Annotations; readonly tentacle: Annotations },
): Decision {
  const scope = tentacleScope(principal, enclave, tentacle);
  if (scope === undefined) return { allowed: false, code: 'no_owner', reason: ownerless(tentacle) };
  if (right === 'owner' && scope === 'owner') return { allowed: true, reason: 'the caller owns the tentacle' };
  const mode = tentacleModeOf(enclave, tentacle);
  const bits = bitsOf(mode, scope);
  if (bits.includes(right)) return { allowed: true, reason: `tentacle: ${scope} has ${right}` };
  const reason =
    right === 'owner'
      ? `only the owner of the tentacle or of the enclave may; the caller is ${scope}`
      : `tentacle: ${scope} has ${bits} of ${mode}, ${right} is needed${hintFor(principal)}`;
  return bits.includes('r') ? denied(reason) : { ...denied(reason), code: 'not_found', hides: 'tentacle' };
}

function ownerless(tentacle: Annotations): string {
  const isRetired = Object.keys(tentacle).some((key) => key.startsWith(retiredAnnotationPrefix));
  return isRetired
    ? `resource has no owner: its ${retiredAnnotationPrefix}* annotations are of a retired prefix and count for nothing`
    : 'resource has no owner';
}

/** Why group rights may be missing although the caller thinks that he is a member. */
function hintFor(principal: OidcPrincipal): string {
  return principal.emailUnverified ? "; the caller's e-mail address is not verified, so membership by it fails" : '';
}

function denied(reason: string): Denied {
  return { allowed: false, code: 'permission_denied', reason };
}
