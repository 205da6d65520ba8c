import { describe, expect, inject, it } from 'vitest';
import { createKube } from '../support/kube.ts';
import { chart, helm } from './chart.ts';

const program = inject('helm');
const system = inject('systemNamespace');
const kube = createKube(inject('kubectl'), inject('kubeconfig'));
const where = ['--namespace', system, '--kubeconfig', inject('kubeconfig')];

async function token(): Promise<string> {
  const secret = await kube.get('secret', 'tentacular-mcp-auth', system);
  return Buffer.from(String(secret?.data?.token), 'base64').toString('utf8');
}

// Not beside others: Helm works on a release once at a time, and a start looks at this one too.
describe('the installed release', () => {
  it('made a token of 64 characters, and keeps it across upgrades and rollbacks', async () => {
    const before = await token();
    expect(before).toMatch(/^[A-Za-z0-9]{64}$/);
    const annotation = ['--reuse-values', '--set', 'service.annotations.probe=upgraded'];
    await helm(program, ['upgrade', 'tentacular-mcp', chart, ...annotation, ...where]);
    const service = await kube.get('service', 'tentacular-mcp', system);
    expect(service?.metadata.annotations?.probe).toBe('upgraded');
    expect(await token()).toBe(before);
    await helm(program, ['rollback', 'tentacular-mcp', ...where]);
    expect(await token()).toBe(before);
  });
});
