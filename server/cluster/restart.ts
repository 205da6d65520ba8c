import { annotationPrefix } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isStale } from './api-error.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { isOf } from './live-set.ts';
import { backoffMs, movingBackoff, movingRounds, pause } from './pause.ts';

/** Field manager of restarts: a whole apply leaves what it set alone. */
const restartManager = 'tentacular-restart';
const restartedKey = `${annotationPrefix}restarted-at`;

export interface RestartOptions extends CallOptions {
  /** Asked over the Deployment as it was read last, before it is written. Throws where the caller may not. */
  readonly admit?: (live: Manifest) => void;
}

/** Rolls the pods by an annotation of their template that no revision knows. */
export async function restartTentacle(
  context: Context,
  enclave: string,
  name: string,
  { admit, ...call }: RestartOptions,
): Promise<Manifest> {
  const at = new Date(context.now()).toISOString();
  const fields = { spec: { template: { metadata: { annotations: { [restartedKey]: at } } } } };
  for (let round = 1; ; round++) {
    const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name };
    const live = await context.client.get(ref, call);
    if (!live || !isOf(live, enclave, name)) {
      throw new TentacularError('not_found', `There is no tentacle "${name}" in "${enclave}"`, {
        hint: 'List with wf_list.',
      });
    }
    admit?.(live);
    try {
      return await context.writer.applyFields(live, fields, restartManager, call);
    } catch (error) {
      if (!isStale(error) || round >= movingRounds) throw error;
      await pause(backoffMs(round, movingBackoff, context.random), call.signal);
    }
  }
}
