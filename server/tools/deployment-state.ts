import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';

/** What a Deployment says of itself; counts are pods. */
export interface DeploymentState {
  readonly replicas: number;
  readonly available: number;
  readonly readyReplicas: number;
  /** All that are wanted are there, of the newest version. */
  readonly ready: boolean;
  /** Red: none available though one is wanted. Amber: fewer than wanted, or a rollout is under way. */
  readonly health: 'green' | 'amber' | 'red';
  readonly conditions: readonly JsonObject[];
}

export function deploymentState(deployment: Manifest): DeploymentState {
  const status = deployment.status ?? {};
  const count = (value: unknown) => (typeof value === 'number' ? value : 0);
  const wanted = deployment.spec?.replicas;
  const replicas = typeof wanted === 'number' ? wanted : 1;
  const available = count(status.availableReplicas);
  const seen = count(status.observedGeneration) >= (deployment.metadata.generation ?? 0);
  const updated = count(status.updatedReplicas) >= replicas && count(status.replicas) <= replicas;
  const ready = seen && updated && available >= replicas;
  const none = available === 0 && replicas > 0;
  return {
    replicas,
    available,
    readyReplicas: count(status.readyReplicas),
    ready,
    health: ready ? 'green' : none ? 'red' : 'amber',
    conditions: Array.isArray(status.conditions) ? status.conditions.filter(isJsonObject) : [],
  };
}
