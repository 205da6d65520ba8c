import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { isJsonObject } from '../../constructs/model/json.ts';
import { status, up } from '../../local/cluster.ts';
import { bed, temporaryEnclave } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import type { McpConnection, ToolOutcome } from '../support/mcp.ts';
import { helloWorkflow } from '../support/workflows.ts';

/** Codes that an honest server gives while there is no API server. */
const honest = new Set(['unavailable', 'timeout', 'cluster_error', 'conflict']);

// Harm prevented: a server that dies, hangs or lies when the API server goes away, and half-applied sets afterwards.
describe.skipIf(inject('outside') === undefined)('the API server is killed under load and started again', () => {
  const { kube, connect } = bed();
  const namespace = inject('systemNamespace');
  let mcp: McpConnection;
  let enclave: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    mcp = await connect();
    ({ enclave, remove } = await temporaryEnclave(mcp, 'outage'));
    await mcp.ok('wf_apply', { enclave, ...helloWorkflow('steady'), wait: true });
  });
  afterAll(async () => {
    await up();
    await remove();
    await mcp.close();
  });

  /** How often each container of the server has been started, by pod. */
  async function restarts(): Promise<Record<string, number>> {
    const pods = await kube.list('pods', namespace, 'app.kubernetes.io/name=tentacular-mcp');
    return Object.fromEntries(
      pods.map((pod) => {
        const statuses = pod.status?.containerStatuses;
        const first = Array.isArray(statuses) ? statuses[0] : undefined;
        return [pod.metadata.name, isJsonObject(first) ? Number(first.restartCount) : -1];
      }),
    );
  }

  async function killApiServer(): Promise<void> {
    const program = (await status()).programs.find(({ name }) => name === 'kube-apiserver');
    if (program?.pid === undefined) throw new Error('the API server has no recorded pid');
    process.kill(program.pid, 'SIGKILL');
  }

  it('answers honestly meanwhile, serves again afterwards, restarts nothing and leaves nothing half done', async () => {
    const before = await restarts();
    const seen: ToolOutcome[] = [];
    let stop = false;
    const load = async (tool: string, input: (round: number) => Parameters<McpConnection['call']>[1]) => {
      for (let round = 0; !stop; round += 1) {
        seen.push(await mcp.call(tool, input(round)));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const loads = [
      load('wf_status', () => ({ enclave, name: 'steady' })),
      load('wf_list', () => ({ enclave })),
      load('wf_run', (round) => ({ enclave, name: 'steady', input: { name: `${round}` }, timeout_seconds: 20 })),
      load('wf_apply', (round) => ({ enclave, ...helloWorkflow('moving', { description: `round ${round}` }) })),
    ];
    await eventually('the load runs', async () => seen.length > 20);
    await killApiServer();
    const killedAt = seen.length;
    await eventually('calls fail honestly', async () => seen.slice(killedAt).some((one) => one.error !== undefined));
    await up();
    const recoveredFrom = seen.length;
    await eventually('calls succeed again', async () => {
      const last = seen.slice(recoveredFrom).slice(-8);
      return last.length === 8 && last.every((one) => one.result !== undefined);
    });
    stop = true;
    await Promise.all(loads);

    const codes = new Set(seen.flatMap((one) => (one.error === undefined ? [] : [one.error.code])));
    for (const code of codes) expect(honest).toContain(code);
    for (const one of seen) expect(one.text).not.toMatch(/\bat \S+ \(|node:internal|Bearer /);
    expect(await restarts()).toEqual(before);

    const final = await mcp.ok('wf_apply', {
      enclave,
      ...helloWorkflow('moving', { description: 'last' }),
      wait: true,
    });
    expect(final.rollout).toMatchObject({ state: 'complete' });
    const deployment = await kube.get('deployment', 'moving', enclave);
    expect(deployment?.metadata.annotations?.['tentacular.io/revision']).toBe(String(final.revision));
    expect(await mcp.ok('wf_apply', { enclave, ...helloWorkflow('moving', { description: 'last' }) })).toMatchObject({
      status: 'unchanged',
    });
  }, 300_000);
});
