import type { OidcPrincipal, Principal } from '../../constructs/model/principal.ts';
import { memberNameOf } from '../authz/scope.ts';
import type { ApplyStamps, EnclaveStamps } from '../cluster/index.ts';
import { cleanText, textLimits } from './untrusted.ts';

/** An owner as annotations record it. */
export interface OwnerIdentity {
  readonly sub?: string;
  readonly email?: string;
  readonly name?: string;
}

/** Who owns what this caller makes; a bearer token owns nothing. */
export function ownerStamps(principal: Principal): Pick<ApplyStamps, 'owner'> {
  return principal.kind === 'token' ? {} : { owner: ownerIdentity(principal) };
}

/** The caller as an owner. An e-mail that is not verified is never recorded. */
export function ownerIdentity(principal: OidcPrincipal): OwnerIdentity {
  const name = principal.service ? memberNameOf(principal) : personName(principal.displayName ?? '');
  return {
    sub: principal.sub,
    ...(principal.email && !principal.service ? { email: principal.email } : {}),
    ...(name ? { name } : {}),
  };
}

/** Who wrote last. */
export function authorStamps(principal: Principal): Pick<EnclaveStamps, 'updatedBySub' | 'updatedByEmail'> {
  if (principal.kind === 'token') return {};
  return {
    updatedBySub: principal.sub,
    ...(principal.email && !principal.service ? { updatedByEmail: principal.email } : {}),
  };
}

/** A person chooses the name that the issuer tells: it may not pass for a service account. */
function personName(name: string): string {
  return cleanText(name, textLimits.field)
    .replace(/^(\s*client:)+/i, '')
    .trim();
}
