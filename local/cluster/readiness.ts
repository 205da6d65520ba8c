import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { getObject } from './api-client.ts';
import { dnsAnswers } from './health.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';
import { pollUntil } from './wait.ts';

const NODE_TIMEOUT_MS = 60_000;
const DNS_TIMEOUT_MS = 90_000;

/** Waits until the node is ready and has its range of pod addresses, judged by a kubelet that reported after `since` (its status outlives it). */
export async function waitForNode(settings: Settings, layout: Layout, since: Date): Promise<void> {
  const ready = await pollUntil(
    NODE_TIMEOUT_MS,
    async () => ((await nodeIsReady(settings, layout, since).catch(() => false)) ? true : undefined),
    100,
  );
  if (ready) return;
  throw new TentacularError('timeout', `Node ${settings.nodeName} was not ready within ${NODE_TIMEOUT_MS / 1000} s`, {
    hint: `Ask why: kubectl --kubeconfig ${layout.kubeconfig} describe node`,
  });
}

/** Waits until a name resolves through the cluster's DNS: service rules, pod network and CoreDNS all work. */
export async function waitForDns(settings: Settings, layout: Layout): Promise<void> {
  const answered = await pollUntil(
    DNS_TIMEOUT_MS,
    async () =>
      (await dnsAnswers(settings.dnsServiceIp, settings.apiServiceIp).catch(() => false)) ? true : undefined,
    100,
  );
  if (answered) return;
  throw new TentacularError('timeout', `The cluster's DNS did not answer within ${DNS_TIMEOUT_MS / 1000} s`, {
    hint: `Ask why: kubectl --kubeconfig ${layout.kubeconfig} -n kube-system describe pods`,
  });
}

export async function nodeIsReady(settings: Settings, layout: Layout, since: Date): Promise<boolean> {
  const [node, lease] = await Promise.all([
    getObject(layout, settings.ports.api, `/api/v1/nodes/${settings.nodeName}`),
    getObject(
      layout,
      settings.ports.api,
      `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${settings.nodeName}`,
    ),
  ]);
  const conditions = at(node, 'status', 'conditions');
  const ready = Array.isArray(conditions)
    ? conditions.find((condition) => at(condition, 'type') === 'Ready')
    : undefined;
  const hasRange = typeof at(node, 'spec', 'podCIDR') === 'string';
  // A new node has no lease for its first 10 s; one that came back has an old heartbeat for as long.
  const signs = [at(ready, 'lastHeartbeatTime'), at(lease, 'spec', 'renewTime')];
  // Heartbeats have whole seconds.
  const earliestMs = Math.floor(since.getTime() / 1000) * 1000;
  const isFresh = signs.some((sign) => typeof sign === 'string' && Date.parse(sign) >= earliestMs);
  return at(ready, 'status') === 'True' && hasRange && isFresh;
}

function at(value: JsonValue | undefined, ...path: string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>(
    (current, key) => (isJsonObject(current) ? current[key] : undefined),
    value,
  );
}
