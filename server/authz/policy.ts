import type { OidcPrincipal } from '../../constructs/model/principal.ts';
import { memberNameOf } from './scope.ts';

/** What the installation decides about permissions, apart from any enclave. */
export interface AuthzPolicy {
  /** `TENTACULAR_AUTHZ_ENABLED`; false lets everybody do everything. */
  readonly enabled: boolean;
  /**
   * Who may make enclaves: `everyone` who is a person with a verified identity, or those listed (e-mail address,
   * `@domain`, `client:<azp>`); an empty list: nobody but bearer callers.
   */
  readonly provisioners: 'everyone' | readonly string[];
}

/** Enclaves that one caller may own by making them, unless he is a provisioner by name. */
export const maxOwnEnclaves = 5;

/** The rule by which somebody may make enclaves, in words; undefined where he may not. */
export function provisionerRule(principal: OidcPrincipal, { provisioners }: AuthzPolicy): string | undefined {
  const name = memberNameOf(principal);
  if (name === undefined) return undefined;
  if (isNamedProvisioner(principal, { provisioners })) return 'the caller is a provisioner by name';
  // A program that an issuer lets in is nobody in particular: some issuers give any program a token for any audience.
  if (principal.service) return undefined;
  if (provisioners === 'everyone') return 'every person with a verified identity may make enclaves';
  const domain = name.slice(name.lastIndexOf('@'));
  return provisioners.includes(domain) ? `everybody of ${domain} may make enclaves` : undefined;
}

/** True for a caller whom the list of provisioners names himself, not only his domain. */
export function isNamedProvisioner(
  principal: OidcPrincipal,
  { provisioners }: Pick<AuthzPolicy, 'provisioners'>,
): boolean {
  const name = memberNameOf(principal);
  return name !== undefined && provisioners !== 'everyone' && provisioners.includes(name);
}
