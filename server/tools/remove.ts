import type { Manifest } from '../../constructs/model/manifest.ts';
import { wfRemove, wfRestart } from '../api/apply.ts';
import type { ToolDependencies } from './dependencies.ts';
import type { Tool } from './tool.ts';

export function removeTool({ cluster }: ToolDependencies): Tool<'wf_remove'> {
  return {
    name: 'wf_remove',
    title: 'Remove a tentacle',
    description: [
      'Deletes a tentacle with all that belongs to it: Deployment, Service, network policy, code, Secrets, revisions and run history.',
      'Call it with dry_run: true first and show what would go. keep_history: true keeps the revisions, from which it can be brought back.',
      'Not for a restart (wf_restart), and not for a whole enclave (enclave_deprovision).',
    ].join('\n'),
    ...wfRemove,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run(input, { admission, kube }) {
      const enclave = await admission.removal(input.enclave, input.name);
      const { deleted } = enclave
        ? await cluster.remove({
            enclave: input.enclave,
            name: input.name,
            keepHistory: input.keep_history,
            dryRun: input.dry_run,
            admit: (found) => admission.still(found ? 'wf_remove' : 'wf_remove_remains', enclave, found),
            call: kube,
          })
        : { deleted: [] };
      return {
        enclave: input.enclave,
        name: input.name,
        dry_run: input.dry_run,
        deleted: deleted.map(({ object }) => object),
        exo_cleanup: {},
      };
    },
  };
}

export function restartTool({ cluster, runs, now }: ToolDependencies): Tool<'wf_restart'> {
  return {
    name: 'wf_restart',
    title: 'Restart a tentacle',
    description: [
      'Replaces the pod of a tentacle by a fresh one, without a gap: the new pod is ready before the old one goes. Source and revision stay.',
      'Use it when the engine hangs or must read changed surroundings. Secrets need no restart: they are read anew by themselves. To change the source use wf_apply.',
    ].join('\n'),
    ...wfRestart,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube }) {
      const { enclave, tentacle } = await admission.tentacle('wf_restart', input.enclave, input.name);
      await runs.harvest({ enclave: input.enclave, name: input.name }, tentacle, kube);
      const admit = (live: Manifest) => admission.still('wf_restart', enclave, live);
      await cluster.restart(input.enclave, input.name, { ...kube, admit });
      return { enclave: input.enclave, name: input.name, restarted_at: new Date(now()).toISOString() };
    },
  };
}
