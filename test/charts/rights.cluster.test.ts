import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { bed, temporaryEnclave } from '../support/e2e.ts';
import type { McpConnection } from '../support/mcp.ts';
import { helloWorkflow } from '../support/workflows.ts';
import { find, renderChart } from './chart.ts';

// The harm: a right that nobody needs is there on the day on which somebody has the server's token.
const { kube, connect } = bed();
const system = inject('systemNamespace');

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** `verb resource.group` of every rule of both ClusterRoles, but `bind`, which goes with each RoleBinding. */
function given(manifests: readonly Manifest[]): Set<string> {
  const roles = ['tentacular-mcp', 'tentacular-enclave'].map((name) => find(manifests, 'ClusterRole', name));
  const rules = roles.flatMap((role) => role.rules as unknown as Rule[]).filter(({ verbs }) => !verbs.includes('bind'));
  return new Set(
    rules.flatMap(({ apiGroups: [group], resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group ? `${resource}.${group}` : resource}`)),
    ),
  );
}

/** `verb resource.group` of every request that a replica has sent with success, from its own counters. */
async function used(): Promise<Set<string>> {
  const pods = await kube.list('pods', system, 'app.kubernetes.io/name=tentacular-mcp');
  const rights = new Set<string>();
  for (const { metadata } of pods) {
    const path = `/api/v1/namespaces/${system}/pods/${metadata.name}:9090/proxy/metrics`;
    const text = await kube.kubectl(['get', '--raw', path]);
    const counters = /^tentacular_api_requests_total\{verb="(\w+)",resource="([^"]+)",status="(2\d\d)"\} [1-9]/gm;
    for (const [, verb = '', resource = '', status] of text.matchAll(counters)) {
      const verbs = { apply: status === '201' ? ['patch', 'create'] : ['patch'], log: ['get'] }[verb] ?? [verb];
      for (const right of verbs) rights.add(`${right} ${resource}`);
    }
  }
  return rights;
}

/** Everything that tools do with the cluster, in one enclave that is gone afterwards. */
async function useEveryTool(mcp: McpConnection): Promise<void> {
  const { enclave, remove } = await temporaryEnclave(mcp, 'rights');
  try {
    await mcp.ok('enclave_provision', { name: enclave, owner_email: 'ada@example.com', owner_sub: 'ada-sub' });
    const secrets: JsonObject = { service: { key: 'value' } };
    await mcp.ok('wf_apply', { enclave, ...helloWorkflow('hello'), secrets, wait: true });
    // More revisions than are kept: old code is looked for in ReplicaSets and goes.
    for (let patch = 1; patch <= 11; patch += 1) {
      const { workflow, files } = helloWorkflow('hello', { version: `1.0.${patch}` });
      const shout = `${files['nodes/shout.ts']}// ${patch}\n`;
      await mcp.ok('wf_apply', {
        enclave,
        workflow,
        files: { ...files, 'nodes/shout.ts': shout },
        secrets,
        wait: true,
      });
    }
    await mcp.ok('wf_apply', { enclave, name: 'hello', wait: true });
    // Somebody else's Service in the way: it is looked at, to say whose it is.
    const spec = { ports: [{ port: 80 }] };
    await kube.apply([{ apiVersion: 'v1', kind: 'Service', metadata: { name: 'taken', namespace: enclave }, spec }]);
    await mcp.refused('wf_apply', { enclave, ...helloWorkflow('taken') });
    await mcp.ok('wf_run', { enclave, name: 'hello' });
    const { pods } = await mcp.ok('wf_pods', { enclave, name: 'hello' });
    const [pod] = pods as JsonObject[];
    await mcp.ok('wf_logs', { enclave, pod: pod?.name });
    await mcp.ok('wf_events', { enclave, name: 'hello' });
    await mcp.ok('enclave_info', { name: enclave });
    await mcp.ok('enclave_list', {});
    await mcp.ok('enclave_sync', { name: enclave, new_status: 'frozen' });
    await mcp.ok('enclave_deprovision', { name: enclave, dry_run: true });
    await mcp.ok('wf_remove', { enclave, name: 'hello' });
  } finally {
    await remove();
  }
}

describe('the rights of the server', () => {
  let mcp: McpConnection;
  beforeAll(async () => {
    mcp = await connect();
  });
  afterAll(() => mcp.close());

  it('are all used by some tool', async () => {
    await useEveryTool(mcp);
    const requests = await used();
    const idle = [...given(await renderChart(inject('helm')))].filter((right) => !requests.has(right));
    expect(idle.sort()).toEqual([]);
  }, 240_000);
});
