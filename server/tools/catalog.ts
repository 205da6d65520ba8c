import type { ToolName } from '../api/tools.ts';
import { applyTool } from './apply.ts';
import type { ToolDependencies } from './dependencies.ts';
import { diffTool } from './diff.ts';
import { deprovisionTool, infoTool, listTool } from './enclave.ts';
import { provisionTool } from './enclave-provision.ts';
import { syncTool } from './enclave-sync.ts';
import { listTentaclesTool } from './list.ts';
import { logsTool } from './logs.ts';
import { eventsTool, podsTool } from './observe.ts';
import { permissionsGetTool, permissionsSetTool } from './permissions.ts';
import { removeTool, restartTool } from './remove.ts';
import { renderTool } from './render.ts';
import { runTool } from './run.ts';
import { runsTool } from './runs.ts';
import { statusTool } from './status.ts';
import type { Tool } from './tool.ts';

/** Every tool by its name, in the order in which clients see them. */
export type Catalog = { readonly [N in ToolName]: Tool<N> };

export function createCatalog(deps: ToolDependencies): Catalog {
  return {
    enclave_list: listTool(deps),
    enclave_info: infoTool(deps),
    enclave_provision: provisionTool(deps),
    enclave_sync: syncTool(deps),
    enclave_deprovision: deprovisionTool(deps),
    wf_render: renderTool(deps),
    wf_diff: diffTool(deps),
    wf_apply: applyTool(deps),
    wf_status: statusTool(deps),
    wf_list: listTentaclesTool(deps),
    wf_run: runTool(deps),
    wf_runs: runsTool(deps),
    wf_logs: logsTool(deps),
    wf_pods: podsTool(deps),
    wf_events: eventsTool(deps),
    wf_restart: restartTool(deps),
    wf_remove: removeTool(deps),
    permissions_get: permissionsGetTool(),
    permissions_set: permissionsSetTool(deps),
  };
}
