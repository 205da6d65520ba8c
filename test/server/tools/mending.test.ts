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
});
