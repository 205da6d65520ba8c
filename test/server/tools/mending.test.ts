import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { useStage } from '../support/people.ts';
import { rendererOptions } from '../support/renderer-options.ts';

// Harm prevented: what somebody set by hand passes for what an apply chose. It would be written into the next revision,
// or, where it is not allowed here, keep everybody from mending it.
describe('wf_apply with only a name, after a Deployment was changed by hand', () => {
  const stage = useStage();
  const enclave = 'mended';
  const text = async (name: string) => JSON.stringify(await stage().harness.cluster.deployment(enclave, name));
  const change = async (name: string, from: RegExp | string, to: string) => {
    const before = await text(name);
    const after = before.replaceAll(from, to);
    expect(after).not.toBe(before);
    stage().fake.put(JSON.parse(after) as JsonObject);
  };
  const again = (name: string) => stage().as('mia').ok('wf_apply', { enclave, name, on_conflict: 'take' });

  beforeAll(async () => {
    await stage()
      .as('bearer')
      .ok('enclave_provision', { name: enclave, owner_email: 'olga@example.com', members: ['mia@example.com'] });
  });

  it('sets the image that was applied again, whether or not the other one is allowed', async () => {
    await stage()
      .as('mia')
      .ok('wf_apply', { enclave, ...helloWorkflow('image') });
    await change('image', rendererOptions.engineImage, 'evil.example/engine:1');
    await again('image');
    expect(await text('image')).toContain(rendererOptions.engineImage);
    expect(await text('image')).not.toContain('evil.example');
  });

  it('renders the code that was applied, not an older one of it that somebody mounted', async () => {
    await stage()
      .as('mia')
      .ok('wf_apply', { enclave, ...helloWorkflow('code') });
    const [old = ''] = /code-code-\w+/.exec(await text('code')) ?? [];
    await stage()
      .as('mia')
      .ok('wf_apply', { enclave, ...helloWorkflow('code', { description: 'newer' }) });
    const [newer = ''] = /code-code-\w+/.exec(await text('code')) ?? [];
    expect(newer).not.toBe(old);
    await change('code', newer, old);
    await again('code');
    expect(await text('code')).toContain(newer);
    expect(await text('code')).not.toContain(old);
  });

  it('cannot take out what somebody added, and wf_diff says so', async () => {
    await stage()
      .as('mia')
      .ok('wf_apply', { enclave, ...helloWorkflow('added') });
    const patch = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'added', namespace: enclave },
      spec: { template: { spec: { containers: [{ name: 'extra', image: 'evil.example/x:1' }] } } },
    };
    const path = `/apis/apps/v1/namespaces/${enclave}/deployments/added?fieldManager=kubectl`;
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const answer = await fetch(stage().fake.url + path, { method: 'PATCH', headers, body: JSON.stringify(patch) });
    expect(answer.status).toBe(200);
    expect(await again('added')).toMatchObject({ status: 'unchanged' });
    const drift = await stage().as('mia').ok('wf_diff', { enclave, name: 'added' });
    expect(drift).toMatchObject({
      changed: true,
      conflicts: [{ field: '.spec.template.spec.containers[name="extra"]', owner: 'kubectl' }],
      warnings: [
        expect.stringMatching(/^1 of these fields was added beside what is rendered: wf_apply .* leaves these/),
      ],
    });
    expect(await stage().as('mia').ok('wf_status', { enclave, name: 'added' })).toMatchObject({ drift: true });
  });
});
