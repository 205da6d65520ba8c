import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { type Bed, bed, temporaryEnclave } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import { type Era, eras, type McpConnection } from '../support/mcp.ts';
import { helloWorkflow } from '../support/workflows.ts';

/** uid and resourceVersion of everything of one tentacle, by kind/name. */
async function versions({ kube }: Bed, enclave: string, name: string): Promise<Map<string, string>> {
  const objects = await kube.list(
    'configmaps,secrets,services,deployments,networkpolicies',
    enclave,
    `tentacular.io/tentacle=${name}`,
  );
  return new Map(
    objects.map((object: Manifest) => [
      `${object.kind}/${object.metadata.name}`,
      `${object.metadata.uid} ${withoutStatus(object)}`,
    ]),
  );
}

/** A Deployment's resourceVersion moves with its status; what we wrote is its metadata and spec. */
function withoutStatus(object: Manifest): string {
  if (object.kind !== 'Deployment') return object.metadata.resourceVersion ?? '';
  const { labels, annotations, generation } = object.metadata;
  const ours = Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('deployment.kubernetes.io/'));
  return JSON.stringify([generation, labels, ours.sort()]);
}

describe.each(eras)('a tentacle from source to gone, protocol %s', (era: Era) => {
  const it_ = bed();
  let mcp: McpConnection;
  let enclave: string;
  const name = 'hello';

  beforeAll(async () => {
    mcp = await it_.connect(era);
    ({ enclave } = await temporaryEnclave(mcp, 'life'));
  });
  afterAll(async () => {
    await mcp.ok('enclave_deprovision', { name: enclave, confirm: true }).catch((error: unknown) => {
      // the last test deprovisions it; anything but "it is gone" is a failure of its own
      if (!String(error).includes('not_found')) throw error;
    });
    await mcp.close();
  });

  it('an enclave has default deny, Pod Security restricted, a quota and no token for pods', async () => {
    const info = await mcp.ok('enclave_info', { name: enclave });
    expect(info).toMatchObject({ name: enclave, status: 'active', quota_preset: 'medium', mode: 'rwxrwx---' });
    const namespace = await it_.kube.get('namespace', enclave);
    expect(namespace?.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const kinds = await it_.kube.list('networkpolicies,resourcequotas,limitranges,serviceaccounts', enclave);
    expect(new Set(kinds.map((object) => object.kind))).toEqual(
      new Set(['NetworkPolicy', 'ResourceQuota', 'LimitRange', 'ServiceAccount']),
    );
  });

  it('an apply that waits answers when the pod is ready, with progress on the way', async () => {
    const messages: string[] = [];
    const applied = await mcp.ok(
      'wf_apply',
      { enclave, ...helloWorkflow(name), wait: true, timeout_seconds: 90 },
      (progress) => messages.push(progress.message ?? ''),
    );
    expect(applied).toMatchObject({ status: 'created', revision: 1 });
    expect(messages.length).toBeGreaterThan(0);
    const status = await mcp.ok('wf_status', { enclave, name });
    expect(status).toMatchObject({ ready: true, replicas: 1, available: 1, revision: 1, version: '1.0.0' });
  });

  it('a run returns what the nodes computed', async () => {
    const run = await mcp.ok('wf_run', { enclave, name, input: { name: 'ada' } });
    expect(JSON.stringify(run.output)).toContain('HELLO ADA');
    expect(run.run_id).toEqual(expect.any(String));
    const runs = await mcp.ok('wf_runs', { enclave, name });
    expect(JSON.stringify(runs)).toContain(String(run.run_id));
  });

  it('an asynchronous run answers with its id at once and is found by it later', async () => {
    const started = await mcp.ok('wf_run', { enclave, name, async: true, input: { name: 'bob' } });
    const run_id = String(started.run_id);
    const one = await eventually('the run is over', () => mcp.ok('wf_runs', { enclave, name, run_id }), {
      done: (value) => JSON.stringify(value).includes('HELLO BOB'),
    });
    expect(JSON.stringify(one)).toContain(run_id);
  });

  it('an unchanged apply writes nothing', async () => {
    const before = await versions(it_, enclave, name);
    const applied = await mcp.ok('wf_apply', { enclave, ...helloWorkflow(name) });
    expect(applied).toMatchObject({ status: 'unchanged', revision: 1, pruned: [] });
    expect(await versions(it_, enclave, name)).toEqual(before);
  });

  it('a dry run tells what would be written and writes nothing', async () => {
    const before = await versions(it_, enclave, name);
    const applied = await mcp.ok('wf_apply', {
      enclave,
      ...helloWorkflow(name, { description: 'changed' }),
      dry_run: true,
    });
    expect(applied.status).toBe('updated');
    expect(await versions(it_, enclave, name)).toEqual(before);
  });

  it('a changed contract writes the objects that it changes and leaves the others alone', async () => {
    const before = await versions(it_, enclave, name);
    const changed = helloWorkflow(name, {
      contract: { version: '1', dependencies: { api: { protocol: 'https', host: 'api.example.com', port: 443 } } },
    });
    const diff = await mcp.ok('wf_diff', { enclave, ...changed });
    expect(JSON.stringify(diff)).toContain('"update"');
    const applied = await mcp.ok('wf_apply', { enclave, ...changed, wait: true });
    expect(applied).toMatchObject({ status: 'updated', revision: 2 });
    const after = await versions(it_, enclave, name);
    expect(after.get(`Service/${name}`)).toBe(before.get(`Service/${name}`));
    expect(after.get(`NetworkPolicy/${name}`)).not.toBe(before.get(`NetworkPolicy/${name}`));
    expect(after.get(`Deployment/${name}`)).not.toBe(before.get(`Deployment/${name}`));
  });

  it('a hand-made change of a live object is drift, told by wf_diff and mended by the same apply', async () => {
    await it_.kube.kubectl([
      'patch',
      'service',
      name,
      '-n',
      enclave,
      '--type=merge',
      '-p',
      JSON.stringify({
        spec: { selector: { 'tentacular.io/tentacle': 'somebody-else' } },
      }),
    ]);
    const drift = await mcp.ok('wf_diff', { enclave, name });
    expect(JSON.stringify(drift)).toContain('somebody-else');
    const mended = await mcp.call('wf_apply', { enclave, name, on_conflict: 'take' });
    expect(mended.error).toBeUndefined();
    const service = await it_.kube.get('service', name, enclave);
    expect(service?.spec?.selector).toEqual({ 'tentacular.io/enclave': enclave, 'tentacular.io/tentacle': name });
  });

  it('a restart replaces the pod and keeps the revision', async () => {
    const before = await mcp.ok('wf_pods', { enclave, name });
    const { revision } = await mcp.ok('wf_status', { enclave, name });
    await mcp.ok('wf_restart', { enclave, name });
    await eventually('another pod is ready', async () => {
      const pods = (await mcp.ok('wf_pods', { enclave, name })) as { pods?: { name: string; ready: boolean }[] };
      const old = new Set(((before.pods ?? []) as unknown[]).map((pod) => (pod as { name: string }).name));
      return pods.pods?.some((pod) => pod.ready && !old.has(pod.name));
    });
    expect(await mcp.ok('wf_status', { enclave, name })).toMatchObject({ revision });
    const again = await mcp.ok('wf_run', { enclave, name, input: { name: 'eve' } });
    expect(JSON.stringify(again.output)).toContain('HELLO EVE');
  });

  it('logs come with pod and container, as data', async () => {
    const logs = await mcp.ok('wf_logs', { enclave, name, tail_lines: 50 });
    expect(JSON.stringify(logs)).toContain('engine');
  });

  it('the list and the events of the enclave show the tentacle', async () => {
    const row = { name, enclave, version: '1.0.0', ready: true };
    // From a cache that follows the cluster, in which the restart is over only once the old pod is gone.
    await eventually('the list shows it ready', async () => {
      const list = await mcp.ok('wf_list', { enclave });
      expect(list.workflows).toEqual([expect.objectContaining(row)]);
      return true;
    });
    const events = await mcp.ok('wf_events', { enclave, name });
    expect(JSON.stringify(events)).toContain('ScalingReplicaSet');
  });

  it('a removal lists what it would delete, then leaves nothing behind', async () => {
    const preview = await mcp.ok('wf_remove', { enclave, name, dry_run: true });
    expect((preview.deleted as unknown[]).length).toBeGreaterThanOrEqual(5);
    expect(await it_.kube.get('deployment', name, enclave)).toBeDefined();
    await mcp.ok('wf_remove', { enclave, name });
    await eventually('everything of the tentacle is gone', async () => {
      const rest = await it_.kube.list(
        'all,configmaps,secrets,networkpolicies,endpointslices',
        enclave,
        `tentacular.io/tentacle=${name}`,
      );
      return rest.length === 0;
    });
    expect(await mcp.refused('wf_status', { enclave, name })).toMatchObject({ code: 'not_found' });
  });

  it('deprovisioning wants to be confirmed, then takes the namespace away', async () => {
    expect(await mcp.refused('enclave_deprovision', { name: enclave })).toMatchObject({ code: 'invalid_input' });
    const gone = await mcp.ok('enclave_deprovision', { name: enclave, confirm: true, timeout_seconds: 180 });
    expect(gone.namespace_deleted).toBe(true);
    await eventually('the namespace is gone', async () => (await it_.kube.get('namespace', enclave)) === undefined);
    const list = await mcp.ok('enclave_list', { status: 'all' });
    expect(JSON.stringify(list)).not.toContain(enclave);
  });
});
