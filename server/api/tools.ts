import type { z } from 'zod';
import { wfApply, wfDiff, wfRemove, wfRender, wfRestart } from './apply.ts';
import { enclaveDeprovision, enclaveInfo, enclaveList, enclaveProvision, enclaveSync } from './enclave.ts';
import { permissionsGet, permissionsSet } from './permissions.ts';
import { wfRun, wfRuns } from './run.ts';
import { wfEvents, wfList, wfLogs, wfPods, wfStatus } from './status.ts';

/** Input and output of every tool, by its name: the server's interface as its clients see it. */
export const toolApis = {
  enclave_provision: enclaveProvision,
  enclave_info: enclaveInfo,
  enclave_list: enclaveList,
  enclave_sync: enclaveSync,
  enclave_deprovision: enclaveDeprovision,
  wf_render: wfRender,
  wf_apply: wfApply,
  wf_diff: wfDiff,
  wf_remove: wfRemove,
  wf_list: wfList,
  wf_status: wfStatus,
  wf_run: wfRun,
  wf_runs: wfRuns,
  wf_logs: wfLogs,
  wf_pods: wfPods,
  wf_events: wfEvents,
  wf_restart: wfRestart,
  permissions_get: permissionsGet,
  permissions_set: permissionsSet,
};

export type ToolApis = typeof toolApis;
export type ToolName = keyof ToolApis;
/** Arguments of a tool after validation, defaults filled in. */
export type ToolInput<N extends ToolName> = z.output<ToolApis[N]['input']>;
export type ToolOutput<N extends ToolName> = z.output<ToolApis[N]['output']>;
