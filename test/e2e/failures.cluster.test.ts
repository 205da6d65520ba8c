import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bed, temporaryEnclave } from '../support/e2e.ts';
import type { McpConnection } from '../support/mcp.ts';
import { helloWorkflow, oneNodeWorkflow } from '../support/workflows.ts';

describe('what fails says why', () => {
  const { kube, connect } = bed();
  let mcp: McpConnection;
  let enclave: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    mcp = await connect();
    ({ enclave, remove } = await temporaryEnclave(mcp, 'fail'));
  });
  afterAll(async () => {
    await remove();
    await mcp.close();
  });

  it('an image that cannot be had is reported with the reason, before the deadline', async () => {
    const outcome = await mcp.call('wf_apply', {
      enclave,
      ...helloWorkflow('noimage', {
        sidecars: [{ name: 'side', image: 'localhost/does-not-exist:1', port: 9000 }],
      }),
      wait: true,
      timeout_seconds: 60,
    });
    expect(outcome.result?.rollout).toMatchObject({
      state: 'failed',
      container: 'side',
      message: expect.stringMatching(/ErrImage|ImagePull|ErrImageNeverPull/),
    });
  });

  it('a module that throws while it loads is reported with the last log lines', async () => {
    const outcome = await mcp.call('wf_apply', {
      enclave,
      workflow: helloWorkflow('crash').workflow,
      files: {
        'nodes/greet.ts': "throw new Error('broken on purpose');",
        'nodes/shout.ts': 'export default async function () { return 1; }\n',
      },
      wait: true,
      timeout_seconds: 90,
    });
    expect(outcome.result?.rollout).toMatchObject({ state: 'failed', container: 'engine' });
    expect(JSON.stringify(outcome.result?.rollout)).toContain('broken on purpose');
  });

  it('a node that throws ends the run with its name and message, and the next run is served', async () => {
    const name = 'thrower';
    await mcp.ok('wf_apply', {
      enclave,
      ...oneNodeWorkflow(name, "if (input?.bad) throw new Error('no luck today'); return 'fine';"),
      wait: true,
    });
    const failed = await mcp.call('wf_run', { enclave, name, input: { bad: true } });
    expect(failed.text).toContain('no luck today');
    expect(failed.text).toContain('probe');
    const good = await mcp.ok('wf_run', { enclave, name, input: {} });
    expect(JSON.stringify(good.output)).toContain('fine');
    const runs = await mcp.ok('wf_runs', { enclave, name });
    expect(JSON.stringify(runs)).toContain('probe');
  });

  it('a node over its time limit is a timeout of that node', async () => {
    const name = 'slow';
    await mcp.ok('wf_apply', {
      enclave,
      ...oneNodeWorkflow(name, 'await new Promise((resolve) => setTimeout(resolve, 60_000));', {
        config: { timeout: '1s' },
      }),
      wait: true,
    });
    const outcome = await mcp.call('wf_run', { enclave, name });
    expect(outcome.text).toMatch(/timeout|timed out/i);
  });

  it('what does not fit into the quota is told as quota, not as a silent wait', async () => {
    const outcome = await mcp.call('wf_apply', {
      enclave,
      ...helloWorkflow('greedy', {
        deployment: { resources: { requests: { cpu: '64', memory: '64Gi' }, limits: { cpu: '64', memory: '64Gi' } } },
      }),
      wait: true,
      timeout_seconds: 30,
    });
    expect(outcome.text).toMatch(/quota|exceeded|maximum/i);
  });

  it('waiting ends at the deadline with the state so far', async () => {
    const started = Date.now();
    const outcome = await mcp.call('wf_apply', {
      enclave,
      ...helloWorkflow('pending', { description: 'never scheduled' }),
      wait: true,
      timeout_seconds: 1,
    });
    // Far less than the default.
    expect(Date.now() - started).toBeLessThan(40_000);
    expect(outcome.text).toMatch(/wf_status|ready|rollout/i);
    expect(await kube.get('deployment', 'pending', enclave)).toBeDefined();
  });
});
