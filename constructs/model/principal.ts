/**
 * Who is calling, as a value: what authorization judges, what annotations record, what the audit record names.
 * A static bearer token carries no identity: it has a name of its own and nothing else.
 */
export interface TokenPrincipal {
  readonly kind: 'token';
  /** Stands for the caller in audit records and rate limits; never the token itself. */
  readonly name: string;
}

export type Principal = TokenPrincipal;

/** The client program as it names itself (MCP `clientInfo`); untrusted, for provenance only. */
export interface ClientIdentity {
  readonly name: string;
  readonly version: string;
}
