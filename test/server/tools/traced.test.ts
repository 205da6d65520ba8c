import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { useStage } from '../support/people.ts';

/** That each request to the Kubernetes API can be found in the audit log of the cluster by the call that it is for. */
describe('the requests that a call makes', () => {
  const stage = useStage({ startCache: true });
  const enclave = 'traced';

  beforeAll(async () => {
    const { as, fake } = stage();
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com'] });
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('hello') });
    const labels = {
      'app.kubernetes.io/managed-by': 'tentacular',
      'tentacular.io/enclave': enclave,
      'tentacular.io/tentacle': 'hello',
    };
    fake.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'hello-7d9f8c7b65-x2z4q', namespace: enclave, labels },
      spec: { containers: [{ name: 'engine', image: 'i' }] },
      status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    });
  });

  const hello = { enclave, name: 'hello' };
  it.each<[string, JsonObject, RegExp?]>([
    // Nobody answers behind the fake API server: what is looked for is the way there.
    ['wf_run', { ...hello, timeout_seconds: 5 }, /\/portforward/],
    ['wf_runs', hello, /\/portforward/],
    ['wf_runs', { ...hello, run_id: 'x' }, /\/portforward/],
    ['wf_restart', hello, /\/portforward/],
    ['wf_apply', { enclave, ...helloWorkflow('hello', { description: 'x' }) }, /\/portforward/],
    ['wf_apply', hello],
    ['wf_diff', hello],
    ['wf_diff', { enclave, ...helloWorkflow('hello', { description: 'y' }) }],
    ['wf_status', { ...hello, detail: true }, /\/pods/],
    ['wf_pods', hello, /\/pods/],
    ['wf_events', hello, /\/events/],
    ['wf_logs', hello, /\/log\?/],
    ['wf_logs', { enclave, pod: 'hello-7d9f8c7b65-x2z4q' }, /\/log\?/],
    ['permissions_get', hello],
    ['permissions_set', { ...hello, mode: 'private' }, /deployments\/hello/],
    ['enclave_info', { name: enclave }, /resourcequotas/],
    ['enclave_list', {}, /namespaces/],
    ['wf_remove', { ...hello, name: 'hello' }, /deployments\/hello/],
  ])('%s %j: every one names the caller and the call', async (tool, args, through) => {
    const { proxy, harness } = stage();
    const from = proxy.seen.length;
    await stage().as('mia').call(tool, args);
    const { call_id, principal } = harness.audit.at(-1) ?? {};
    expect(principal).toBe('mia@example.com');
    const requests = proxy.seen.slice(from).filter(({ path }) => !path.includes('watch=true'));
    // Summaries of runs are written for several calls at once, under the server's own name.
    const own = requests.filter(({ path }) => !path.includes('/configmaps/hello-runs'));
    expect(own.length).toBeGreaterThan(0);
    const agent = `tentacular/0.0.0-test (caller=oidc:mia@example.com; call=${call_id})`;
    expect(own.filter(({ userAgent }) => userAgent !== agent)).toEqual([]);
    if (through) expect(own.some(({ path }) => through.test(path))).toBe(true);
  });

  it('of a creation too, each call under an id of its own, and the bearer token by that name', async () => {
    const { proxy, harness, as } = stage();
    const ids: (string | undefined)[] = [];
    for (const [who, caller] of [
      ['mia', 'oidc:mia@example.com'],
      ['bearer', 'token:bearer-token'],
    ] as const) {
      const from = proxy.seen.length;
      await as(who).ok('wf_apply', { enclave, ...helloWorkflow(`made-by-${who}`) });
      const { call_id } = harness.audit.at(-1) ?? {};
      const requests = proxy.seen.slice(from).filter(({ path }) => !path.includes('watch=true'));
      const agents = new Set(requests.map(({ userAgent }) => userAgent));
      expect([...agents]).toEqual([`tentacular/0.0.0-test (caller=${caller}; call=${call_id})`]);
      ids.push(call_id);
    }
    expect(new Set(ids).size).toBe(2);
  });
});
