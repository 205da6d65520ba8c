import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bed, temporaryEnclave } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import type { McpConnection } from '../support/mcp.ts';
import { helloWorkflow, oneNodeWorkflow } from '../support/workflows.ts';

describe('several writers', () => {
  const { kube, connect } = bed();
  let mcp: McpConnection;
  let second: McpConnection;
  let enclave: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    [mcp, second] = await Promise.all([connect(), connect('2025-11-25')]);
    ({ enclave, remove } = await temporaryEnclave(mcp, 'conflict'));
  });
  afterAll(async () => {
    await remove();
    await Promise.all([mcp.close(), second.close()]);
  });

  it('of two callers with different sources at once one wins and the other is told', async () => {
    const name = 'race';
    const [a, b] = await Promise.all([
      mcp.call('wf_apply', { enclave, ...helloWorkflow(name, { description: 'from a' }) }),
      second.call('wf_apply', { enclave, ...helloWorkflow(name, { description: 'from b' }) }),
    ]);
    const won = [a, b].filter((outcome) => outcome.result !== undefined);
    const lost = [a, b].filter((outcome) => outcome.error !== undefined);
    if (lost.length === 0) {
      // They did not overlap: then they must have happened one after the other, each as a revision of its own.
      const revisions = won.map((outcome) => outcome.result?.revision).sort();
      expect(revisions).toEqual([1, 2]);
    } else {
      expect(won).toHaveLength(1);
      expect(lost[0]?.error?.code).toBe('conflict');
    }
    const [winner] = won.slice(-1);
    const deployment = await kube.get('deployment', name, enclave);
    const revision = Number(deployment?.metadata.annotations?.['tentacular.io/revision']);
    expect(revision).toBe(Math.max(...won.map((outcome) => Number(outcome.result?.revision))));
    expect(winner).toBeDefined();
    const codeMaps = await kube.list('configmaps', enclave, `tentacular.io/tentacle=${name}`);
    expect(codeMaps.filter((object) => /-rev-\d+$/.test(object.metadata.name))).toHaveLength(revision);
  });

  it('ten callers with the same source at once make one revision and no error', async () => {
    const name = 'same';
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? mcp : second).call('wf_apply', { enclave, ...helloWorkflow(name) }),
      ),
    );
    expect(outcomes.flatMap((outcome) => (outcome.error ? [outcome.error] : []))).toEqual([]);
    const deployment = await kube.get('deployment', name, enclave);
    expect(deployment?.metadata.annotations?.['tentacular.io/revision']).toBe('1');
  });

  it("somebody else's object of the same name is a conflict and stays untouched", async () => {
    await kube.apply([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'foreign', namespace: enclave, labels: { team: 'other' } },
        spec: { ports: [{ port: 80 }], selector: { app: 'other' } },
      },
    ]);
    const before = await kube.get('service', 'foreign', enclave);
    const error = await mcp.refused('wf_apply', { enclave, ...helloWorkflow('foreign') });
    expect(error.code).toBe('conflict');
    expect(error.message).toContain('Service');
    expect(await kube.get('service', 'foreign', enclave)).toEqual(before);
    expect(await kube.get('deployment', 'foreign', enclave)).toBeUndefined();
  });

  it('a field that another manager took is told with object, field, owner and both values; take and keep are honoured', async () => {
    const name = 'fields';
    await mcp.ok('wf_apply', { enclave, ...helloWorkflow(name) });
    const steal = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace: enclave },
      spec: { replicas: 0 },
    };
    await kube.kubectl(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=autoscaler', '-f', '-'],
      JSON.stringify(steal),
    );
    const changed = { enclave, ...helloWorkflow(name, { description: 'second' }) };
    const error = await mcp.refused('wf_apply', changed);
    expect(error.code).toBe('conflict');
    const conflicts = JSON.stringify(error.details);
    expect(conflicts).toContain('autoscaler');
    expect(conflicts).toContain('replicas');
    expect(conflicts).toMatch(/take/);
    await mcp.ok('wf_apply', { ...changed, on_conflict: 'keep' });
    expect((await kube.get('deployment', name, enclave))?.spec?.replicas).toBe(0);
    await mcp.ok('wf_apply', { enclave, ...helloWorkflow(name, { description: 'third' }), on_conflict: 'take' });
    expect((await kube.get('deployment', name, enclave))?.spec?.replicas).toBe(1);
  });

  it('code that no kept revision and no ReplicaSet names is pruned; revisions are kept to the last ten', async () => {
    const name = 'prune';
    for (let round = 1; round <= 13; round += 1) {
      await mcp.ok('wf_apply', { enclave, ...oneNodeWorkflow(name, `return { round: ${round} };`) });
    }
    const revisions = async () =>
      (await kube.list('configmaps', enclave, `tentacular.io/tentacle=${name}`)).map((map) => map.metadata.name);
    const names = await eventually('old revisions are gone', revisions, {
      done: (value) => value.filter((map) => map.includes('-rev-')).length === 10,
    });
    expect(names).toContain(`${name}-rev-13`);
    expect(names).not.toContain(`${name}-rev-3`);
    expect(names.filter((map) => map.includes('-code-')).length).toBeLessThanOrEqual(13);
  });

  it('an outdated plan and an unexpected revision are refused', async () => {
    const name = 'planned';
    const first = helloWorkflow(name);
    const diff = await mcp.ok('wf_diff', { enclave, ...first });
    const applied = await mcp.ok('wf_apply', { enclave, ...first, plan: String(diff.plan) });
    expect(applied.status).toBe('created');
    const changed = helloWorkflow(name, { description: 'changed' });
    const plan = String((await mcp.ok('wf_diff', { enclave, ...changed })).plan);
    await mcp.ok('wf_apply', { enclave, ...helloWorkflow(name, { description: 'in between' }) });
    expect(await mcp.refused('wf_apply', { enclave, ...changed, plan })).toMatchObject({ code: 'stale_plan' });
    expect(await mcp.refused('wf_apply', { enclave, ...changed, expected_revision: 1 })).toMatchObject({
      code: 'conflict',
    });
  });

  it('secrets: absent is untouched, given is replaced, null is removed, and no value comes back', async () => {
    const name = 'keys';
    const canary = 'CANARY-7f3a';
    const source = oneNodeWorkflow(
      name,
      "const d = ctx.dependency('api'); return { length: String(d.secret).length };",
      {
        contract: {
          version: '1',
          dependencies: {
            api: {
              protocol: 'https',
              host: 'api.example.com',
              port: 443,
              auth: { type: 'bearer', secret: 'api.token' },
            },
          },
        },
      },
    );
    const outcome = await mcp.call('wf_apply', {
      enclave,
      ...source,
      secrets: { api: { token: canary }, spare: { key: canary } },
      wait: true,
    });
    expect(outcome.error).toBeUndefined();
    expect(outcome.text).not.toContain(canary);
    const run = await mcp.ok('wf_run', { enclave, name });
    expect(JSON.stringify(run.output)).toContain(String(canary.length));
    const untouched = await mcp.ok('wf_apply', { enclave, ...source });
    expect(untouched.status).toBe('unchanged');
    await mcp.ok('wf_apply', { enclave, ...source, secrets: { spare: null } });
    const secret = await kube.get('secret', `${name}-secrets`, enclave);
    expect(Object.keys(secret?.data ?? {})).toEqual(['api']);
    const diff = await mcp.call('wf_diff', { enclave, ...source, secrets: { api: { token: 'OTHER-CANARY' } } });
    expect(diff.text).not.toContain(canary);
    expect(diff.text).not.toContain('OTHER-CANARY');
    expect(JSON.stringify(diff.result)).toContain(`${name}-secrets`);
  });
});
