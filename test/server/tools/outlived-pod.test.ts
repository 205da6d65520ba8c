import { beforeAll, describe, expect, it } from 'vitest';
import { tentacleLabels } from '../../../constructs/model/labels.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { useStage } from '../support/people.ts';

// Harm prevented: a pod drains for minutes after its tentacle was removed. Whoever makes one of that name meanwhile
// reads what the private one of somebody else logs.
describe('a pod that outlives its tentacle', () => {
  const stage = useStage();
  const enclave = 'drained';
  const name = 'report';
  const pod = (hash: string) => `${name}-7d9f8c7b65-${hash}`;
  const old = pod('x2z4q');
  const fresh = pod('b5c6d');

  beforeAll(async () => {
    const { as, fake } = stage();
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'max@example.com'] });
    const put = (podName: string, creationTimestamp: string) => {
      const labels = tentacleLabels(enclave, name, '1.0.0');
      const metadata = { name: podName, namespace: enclave, labels, creationTimestamp };
      fake.put({ apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [{ name: 'engine' }] } });
      fake.log(podName, 'engine', `line of ${podName}\n`);
    };
    put(old, new Date(Date.now() - 60_000).toISOString());
    await as('max').ok('wf_apply', { enclave, ...helloWorkflow(name), mode: 'private' });
    put(fresh, new Date(Date.now() + 1000).toISOString());
  });

  it('is none of those of a tentacle that was made under its name since', async () => {
    const as = stage().as('max');
    const logs = await as.ok('wf_logs', { enclave, name });
    expect(logs).toMatchObject({ pods: [fresh], lines: [{ text: `line of ${fresh}` }] });
    expect(await as.ok('wf_pods', { enclave, name })).toMatchObject({ pods: [{ name: fresh }], total: 1 });
    expect(await as.ok('wf_pods', { enclave })).toMatchObject({ pods: [{ name: fresh }], total: 1 });
    expect(await as.ok('wf_status', { enclave, name, detail: true })).toMatchObject({ pods: [{ name: fresh }] });
    expect(await as.ok('wf_logs', { enclave, pod: fresh })).toMatchObject({ pods: [fresh] });
    const foreign = await as.call('wf_logs', { enclave, pod: old });
    expect(foreign.error).toMatchObject({ code: 'not_found' });
    expect(foreign.text).toBe(
      (await as.call('wf_logs', { enclave, pod: pod('zzzzz') })).text.replace('zzzzz', 'x2z4q'),
    );
  });

  it('is shown to the owner of the enclave, like all that belongs to no tentacle', async () => {
    const as = stage().as('olga');
    expect(await as.ok('wf_pods', { enclave })).toMatchObject({ total: 2 });
    expect(await as.ok('wf_logs', { enclave, pod: old })).toMatchObject({ pods: [old] });
  });
});
