import { TentacularError } from '../../constructs/model/errors.ts';
import { annotate } from './annotate.ts';
import { applySet } from './apply.ts';
import { createCache } from './cache.ts';
import type { CallOptions, RequestRecord } from './call.ts';
import { Client } from './client.ts';
import type { Cluster, ClusterConfig } from './cluster.ts';
import type { Context } from './context.ts';
import { diffSet } from './diff.ts';
import { driftOf } from './drift.ts';
import { deprovisionEnclave, provisionEnclave, updateEnclaveParts } from './enclave.ts';
import { createEngineClient } from './engine-client.ts';
import { listEvents } from './events.ts';
import { GuardedWriter } from './guard.ts';
import { isOf, tentacleSelectorOf } from './live-set.ts';
import { readLogs } from './logs.ts';
import { listPods } from './pods.ts';
import { removeTentacle } from './remove.ts';
import { restartTentacle } from './restart.ts';
import { readRevision, revisionMarks, revisionName, summaryOf } from './revisions.ts';
import { revisionOf } from './stamps.ts';
import { Transport } from './transport.ts';
import { readRollout, waitForRollout } from './wait.ts';

const defaultManager = 'tentacular';

/** Opens the connection (reads credentials, sends nothing) and puts the parts together. */
export async function createCluster(config: ClusterConfig): Promise<Cluster> {
  const now = config.now ?? Date.now;
  const random = config.random ?? Math.random;
  const onRequest = config.onRequest ?? ((_record: RequestRecord) => undefined);
  const userAgent = config.userAgent ?? 'tentacular';
  const transport = await Transport.open({ connection: config.connection, userAgent, onRequest, now, random });
  const client = new Client(transport, defaultManager);
  const context: Context = { client, writer: new GuardedWriter(client, now), manager: defaultManager, now, random };
  const route = config.engineRoute ?? { kind: config.connection.kind === 'in-cluster' ? 'service' : 'port-forward' };
  const engine = createEngineClient(context, route);
  const cache = createCache(client, { now, random });
  return {
    reader: client,
    writer: context.writer,
    cache,
    engine,
    enclave: (name, call) => context.writer.readEnclave(name, call),
    deployment: (enclave, name, call) => ourDeployment(context, enclave, name, call),
    provision: (rendered, stamps, call = {}) => provisionEnclave(context, rendered, stamps, call),
    updateEnclaveParts: (rendered, call = {}) => updateEnclaveParts(context, rendered, call),
    deprovision: (name, options = {}) => deprovisionEnclave(context, name, options),
    annotateEnclave: (name, change, options = {}) =>
      annotate(context, () => liveEnclave(context, name, options), change, options),
    annotateDeployment: ({ enclave, name }, change, options = {}) =>
      annotate(context, () => liveDeployment(context, { enclave, name }, options), change, options),
    apply: (request) => applySet(context, request),
    diff: (request) => diffSet(context, request),
    drift: (request) => driftOf(context, request),
    remove: (request) => removeTentacle(context, request),
    restart: (enclave, name, options = {}) => restartTentacle(context, enclave, name, options),
    history: (enclave, name, call) => readHistory(context, enclave, name, call),
    revision: async (enclave, name, revision, call) => {
      const found = await ourConfigMap(context, { enclave, name, configMap: revisionName(name, revision) }, call);
      return found && readRevision(found, name);
    },
    code: (place, call) => ourConfigMap(context, place, call),
    rollout: (enclave, name, call = {}) => readRollout(context, { enclave, name }, call),
    wait: (enclave, name, options = {}) => waitForRollout(context, { enclave, name }, options),
    pods: (enclave, name, call = {}) => listPods(context, enclave, name, call),
    events: (enclave, { call = {}, ...options } = {}) => listEvents(context, enclave, options, call),
    logs: (query) => readLogs(context, query),
    ping: async (call) => {
      await client.version({ timeoutMs: 3_000, ...call });
    },
    close: async () => {
      cache.stop();
      await Promise.all([transport.close(), engine.close()]);
    },
  };
}

async function liveEnclave({ writer }: Context, name: string, call: CallOptions) {
  const found = await writer.readEnclave(name, call);
  if (found) return found;
  throw new TentacularError('not_found', `There is no enclave "${name}".`, {
    hint: 'enclave_list shows those there are.',
  });
}

async function liveDeployment(
  context: Context,
  { enclave, name }: { readonly enclave: string; readonly name: string },
  call: CallOptions,
) {
  const found = await ourDeployment(context, enclave, name, call);
  if (found) return found;
  throw new TentacularError('not_found', `There is no tentacle "${name}" in the enclave "${enclave}".`, {
    hint: 'wf_list shows those there are.',
  });
}

async function ourDeployment({ client }: Context, enclave: string, name: string, call?: CallOptions) {
  const found = await client.get({ apiVersion: 'apps/v1', kind: 'Deployment', namespace: enclave, name }, call);
  return found && isOf(found, enclave, name) ? found : undefined;
}

async function ourConfigMap(
  { client }: Context,
  place: { readonly enclave: string; readonly name: string; readonly configMap: string },
  call?: CallOptions,
) {
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: place.enclave, name: place.configMap };
  const found = await client.get(ref, call);
  return found && isOf(found, place.enclave, place.name) ? found : undefined;
}

async function readHistory(context: Context, enclave: string, name: string, call?: CallOptions) {
  const labels = tentacleSelectorOf(enclave, name);
  const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace: enclave, labels, metadataOnly: true };
  const [configMaps, deployment] = await Promise.all([
    context.client.list(query, call),
    ourDeployment(context, enclave, name, call),
  ]);
  const live = revisionOf(deployment);
  return revisionMarks(configMaps, name).map((mark) => summaryOf(mark, live));
}
