import type { JWTPayload } from 'jose';
import { canonicalMember } from '../../constructs/model/members.ts';
import { isSubject, type OidcPrincipal } from '../../constructs/model/principal.ts';

export interface ClaimRules {
  readonly issuer: string;
  /** Clients whose tokens are taken; empty: those of any client. */
  readonly allowedClients: readonly string[];
}

/** Who a verified token speaks of, or why it does not let in. `reason` completes "the token …". */
export type Identity =
  | { readonly principal: OidcPrincipal; readonly scopes: readonly string[] }
  | { readonly reason: string };

const clientId = /^[\x20-\x7e]{1,255}$/;
/** What may stand in `enclave-members` beside `client:<id>`, so no colon. */
const emailAddress = /^[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}.-]{1,189}$/u;
/** RFC 6749, 3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]{1,256}$/;
/** Most scopes of one token that count. */
const maxScopes = 200;

/** Judges the claims of a token whose signature, issuer, audience and times hold. Pure. */
export function identityOf(claims: JWTPayload, rules: ClaimRules): Identity {
  // Keycloak signs ID, refresh and logout tokens with names of their own in this claim; access tokens are "Bearer".
  if (claims.typ !== undefined && claims.typ !== 'Bearer') return { reason: 'is no access token' };
  // Security event tokens, of which a logout token is one (RFC 8417, 2.2).
  if (claims.events !== undefined) return { reason: 'is no access token' };
  // A token that is bound to a key of its holder proves nothing without that key (RFC 7800, RFC 9449).
  if (claims.cnf !== undefined) return { reason: 'is bound to a key and cannot be used as a bearer token' };
  if (typeof claims.sub !== 'string' || !isSubject(claims.sub)) return { reason: 'names no subject' };
  const client = claims.azp ?? claims.client_id;
  if (client !== undefined && !(typeof client === 'string' && clientId.test(client))) {
    return { reason: 'names its client in a way that is not valid' };
  }
  if (rules.allowedClients.length > 0 && !(client !== undefined && rules.allowedClients.includes(client))) {
    return { reason: 'was issued to a client that is not allowed here' };
  }
  const service = client !== undefined && isService(claims, client);
  const email = service ? undefined : emailOf(claims.email);
  const verified = claims.email_verified === true;
  const displayName = displayNameOf(claims);
  const principal: OidcPrincipal = {
    kind: 'oidc',
    name: service ? `client:${client}` : verified && email !== undefined ? email : claims.sub,
    sub: claims.sub,
    ...(verified && email !== undefined ? { email } : {}),
    emailUnverified: email !== undefined && !verified,
    ...(displayName === undefined ? {} : { displayName }),
    ...(client === undefined ? {} : { client }),
    service,
    provider: /\/realms\/[^/]+$/.test(rules.issuer) ? 'keycloak' : 'oidc',
  };
  return { principal, scopes: scopesOf(claims) };
}

/**
 * Whether the token stands for the client itself. Where `sub` is the client (RFC 9068, 2.2) that is plain. Keycloak
 * gives the client a user of its own: only there the session, which a person always has, is missing and the claim
 * `client_id` is set, next to the name that it reserves. All three, since a person may choose a name.
 */
function isService(claims: JWTPayload, client: string): boolean {
  if (claims.client_id !== client) return false;
  if (claims.sub === client) return true;
  return claims.sid === undefined && claims.preferred_username === `service-account-${client.toLowerCase()}`;
}

function emailOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || Array.from(value).some(foldsIntoAscii)) return undefined;
  const email = canonicalMember(value);
  return emailAddress.test(email) ? email : undefined;
}

/** True for the Kelvin sign, which becomes a "k", and its like: the address would become that of somebody else. */
function foldsIntoAscii(character: string): boolean {
  return character > '\x7f' && /[\0-\x7f]/.test(canonicalMember(character));
}

function displayNameOf(claims: JWTPayload): string | undefined {
  const given = typeof claims.name === 'string' && claims.name !== '' ? claims.name : claims.preferred_username;
  if (typeof given !== 'string') return undefined;
  const clean = given
    .slice(0, 128)
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return clean === '' ? undefined : clean;
}

/**
 * `scope` is one string, separated by spaces (RFC 8693, 4.2; RFC 9068, 2.2.3). Where there is none, `scp`: Entra sends
 * it as such a string, Okta as an array with a scope each.
 */
function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  const given: unknown = typeof scope === 'string' ? scope : scp;
  const parts: readonly unknown[] = typeof given === 'string' ? given.split(' ') : Array.isArray(given) ? given : [];
  const isScope = (part: unknown): part is string => typeof part === 'string' && scopeToken.test(part);
  return parts.filter(isScope).slice(0, maxScopes);
}
