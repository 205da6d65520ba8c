import { removeGuard } from '../network/guard.ts';
import { removeLeftoverRules } from '../network/leftover-rules.ts';
import { removeTopology } from '../network/topology.ts';
import type { Progress } from '../progress.ts';
import { readRecord, readRecords, removeRecord, stop } from './daemon.ts';
import type { Layout } from './layout.ts';
import { isAlive } from './proc.ts';
import { endStrays, hasRemains, purgeNode } from './purge.ts';
import type { Settings } from './settings.ts';

/** Stops pods and programs, and takes back what they and we did to the machine. Gives whether there was anything. */
export async function stopCluster(settings: Settings, layout: Layout, progress: Progress): Promise<boolean> {
  const records = await readRecords(layout);
  const alive = await Promise.all(records.map((record) => isAlive(record.identity)));
  const strays = await endStrays(layout);
  const anything = alive.includes(true) || strays > 0 || (await hasRemains(settings, layout));
  const stopAll = async (...names: string[]) => {
    await Promise.all(
      names.map(async (name) => {
        const record = await readRecord(layout, name);
        if (record) await stop(record);
        await removeRecord(layout, name);
      }),
    );
  };
  const work = async () => {
    await purgeNode(settings, layout);
    await stopAll('calico-felix', 'kube-proxy', 'kube-controller-manager', 'kube-scheduler');
    // The API server before its store, so that etcd ends with everything written.
    await stopAll('kube-apiserver');
    await stopAll('etcd');
    await removeLeftoverRules();
    await removeTopology(settings);
    // Last: until no pod is left, nothing of it may leave the machine.
    await removeGuard(settings);
  };
  if (anything) await progress.step('stopping the local cluster', work);
  else await work();
  return anything;
}
