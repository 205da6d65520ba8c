/**
 * Who is calling, as a value: what authorization judges, what annotations record, what the audit record names.
 * A static bearer token carries no identity: it has a name of its own and nothing else.
 */
export interface TokenPrincipal {
  readonly kind: 'token';
  /** Stands for the caller in audit records and rate limits; never the token itself. */
  readonly name: string;
}

/** True for what can be the subject of a token: printable ASCII, as OpenID Connect Core 1.0 (2) bounds it. */
export function isSubject(text: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(text);
}

/** A caller whom the configured issuer vouches for: a person, or with `service` a program under its own name. */
export interface OidcPrincipal {
  readonly kind: 'oidc';
  /** For records only: the verified e-mail, `client:<id>` of a service, else `sub`. Decisions rest on the fields below. */
  readonly name: string;
  /** Stable and unique at the issuer; what `owner-sub` holds. */
  readonly sub: string;
  /** Lower case; present only where the issuer verified it. */
  readonly email?: string;
  /** The issuer sent an e-mail that it has not verified: it counts for nothing, and `whoami` says so. */
  readonly emailUnverified: boolean;
  /** What people call this caller; for display only. */
  readonly displayName?: string;
  /** The OAuth client through which the token was obtained (`azp`, else `client_id`). */
  readonly client?: string;
  /** A client-credentials token: the identity is the client, `client:<client>` in `enclave-members`. */
  readonly service: boolean;
  readonly provider: 'keycloak' | 'oidc';
}

export type Principal = TokenPrincipal | OidcPrincipal;

/** The client program as it names itself (MCP `clientInfo`); untrusted, for provenance only. */
export interface ClientIdentity {
  readonly name: string;
  readonly version: string;
}
