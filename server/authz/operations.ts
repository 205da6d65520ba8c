/** A right that one of the two layers must grant. `owner`: only its owner. */
export type Right = 'r' | 'w' | 'x' | 'owner';

/**
 * What an operation needs of the enclave and of the tentacle, as model.md's table has it.
 * Without `enclave`, any authenticated caller may call it and sees what he may read.
 */
export interface Operation {
  readonly enclave?: Right;
  readonly tentacle?: Right;
  /** Refused while the enclave is frozen. Default false. */
  readonly refusedWhenFrozen?: boolean;
  /** Rows that the caller may not read are left out of its result. Default false. */
  readonly filtersRows?: boolean;
}

/** Every operation by name. A test fails if a tool names one that has no row, or a row has no tool. */
export const operations = {
  enclave_provision: {},
  enclave_info: { enclave: 'r' },
  enclave_list: { filtersRows: true },
  enclave_deprovision: { enclave: 'owner' },
  wf_render: {},
  wf_create: { enclave: 'w', refusedWhenFrozen: true },
  wf_update: { enclave: 'r', tentacle: 'w', refusedWhenFrozen: true },
  wf_diff: { enclave: 'r', tentacle: 'r' },
  wf_remove: { enclave: 'r', tentacle: 'w' },
  wf_remove_remains: { enclave: 'w' },
  wf_list: { enclave: 'r', filtersRows: true },
  wf_status: { enclave: 'r', tentacle: 'r' },
  wf_run: { enclave: 'r', tentacle: 'x' },
  wf_runs: { enclave: 'r', tentacle: 'r' },
  wf_logs: { enclave: 'r', tentacle: 'r' },
  wf_pods: { enclave: 'r', tentacle: 'r', filtersRows: true },
  wf_events: { enclave: 'r', tentacle: 'r', filtersRows: true },
  wf_restart: { enclave: 'r', tentacle: 'x' },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
