/** A right that the enclave must grant. `owner`: only its owner. */
export type EnclaveRight = 'r' | 'w' | 'owner';
/** A right that the tentacle must grant. `owner`: its owner, or the enclave's. */
export type TentacleRight = 'r' | 'w' | 'x' | 'owner';

/**
 * What an operation needs of the caller, of the enclave and of the tentacle, as model.md's table has it. With none of
 * them any authenticated caller may ask, and the answer is cut to what he may read.
 */
export interface Operation {
  readonly enclave?: EnclaveRight;
  readonly tentacle?: TentacleRight;
  /** `provisioner`: who may make enclaves. `named-provisioner`: only who is listed by name. */
  readonly caller?: 'provisioner' | 'named-provisioner';
  /** Refused while the enclave is frozen. Default false. */
  readonly refusedWhenFrozen?: boolean;
  /** Rows that the caller may not read are left out of its result. Default false. */
  readonly filtersRows?: boolean;
}

/** Every operation by name. A test fails if a tool has no row here, or a row no tool. */
export const operations = {
  enclave_provision: { caller: 'provisioner' },
  enclave_info: { enclave: 'r', filtersRows: true },
  enclave_list: { filtersRows: true },
  enclave_sync: { enclave: 'owner' },
  enclave_deprovision: { enclave: 'owner' },
  /** Of enclave_provision and enclave_sync. */
  quota_above_default: { caller: 'named-provisioner' },
  /** enclave_provision for another owner than the caller. */
  enclave_for_others: { caller: 'named-provisioner' },
  wf_render: {},
  /** wf_apply is the next two. */
  wf_create: { enclave: 'w', refusedWhenFrozen: true },
  wf_update: { enclave: 'r', tentacle: 'w', refusedWhenFrozen: true },
  wf_diff: { enclave: 'r', tentacle: 'r' },
  /** wf_diff of a source whose tentacle does not exist: a preview of its creation, for those who may create it. */
  wf_diff_new: { enclave: 'w' },
  /** wf_diff with credentials, which tells whether they are the stored ones. */
  wf_diff_secrets: { enclave: 'r', tentacle: 'w' },
  wf_remove: { enclave: 'r', tentacle: 'w' },
  /** wf_remove where the Deployment, which says whose the tentacle is, has gone before the rest. */
  wf_remove_remains: { enclave: 'w' },
  wf_list: { enclave: 'r', filtersRows: true },
  wf_status: { enclave: 'r', tentacle: 'r' },
  wf_run: { enclave: 'r', tentacle: 'x' },
  wf_runs: { enclave: 'r', tentacle: 'r' },
  wf_logs: { enclave: 'r', tentacle: 'r' },
  wf_pods: { enclave: 'r', tentacle: 'r', filtersRows: true },
  wf_events: { enclave: 'r', tentacle: 'r', filtersRows: true },
  wf_restart: { enclave: 'r', tentacle: 'x' },
  permissions_get: { enclave: 'r', tentacle: 'r' },
  /** permissions_set is the next three. */
  enclave_permissions: { enclave: 'owner' },
  tentacle_mode: { enclave: 'r', tentacle: 'owner' },
  tentacle_owner: { enclave: 'owner', tentacle: 'owner' },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
