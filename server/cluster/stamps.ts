/** Who and when: what rendering must not know and what is stamped on the Deployment just before the write. */
export interface ApplyStamps {
  /** ISO 8601 in UTC. Default: the cluster's clock. */
  readonly at?: string;
  /** Only used where the Deployment does not exist yet; an update copies what is live. Absent = no owner (bearer). */
  readonly owner?: { readonly sub?: string; readonly email?: string; readonly name?: string };
  /** `keycloak`, `oidc` or `bearer-token`; on creation only. */
  readonly authProvider?: string;
  /** Mode of a new tentacle, nine characters; on creation only. */
  readonly mode?: string;
  /** `deployed-by`: e-mail, client id or `bearer-token`. */
  readonly deployedBy?: string;
  /** `deployed-via`: client name and version, e.g. `claude-code/2.1`. */
  readonly deployedVia?: string;
  readonly updatedBySub?: string;
  readonly updatedByEmail?: string;
}

/** Stamps of an enclave's Namespace. */
export interface EnclaveStamps {
  /** ISO 8601 in UTC. Default: the cluster's clock. */
  readonly at?: string;
  readonly updatedBySub?: string;
  readonly updatedByEmail?: string;
}
