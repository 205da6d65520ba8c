import { afterAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import { createKube } from '../support/kube.ts';
import { chart, find, helm, renderChart } from './chart.ts';

const program = inject('helm');
const system = inject('systemNamespace');
const kube = createKube(inject('kubectl'), inject('kubeconfig'));
const where = ['--namespace', system, '--kubeconfig', inject('kubeconfig')];

async function token(): Promise<string> {
  const secret = await kube.get('secret', 'tentacular-mcp-auth', system);
  return Buffer.from(String(secret?.data?.token), 'base64').toString('utf8');
}

describe('the installed release', () => {
  it('passes helm test', async () => {
    const output = await helm(program, ['test', 'tentacular-mcp', '--logs', ...where]);
    expect(output).toContain('Succeeded');
    expect(output.match(/^ok /gm)).toHaveLength(4);
    expect(output).not.toContain('FAIL');
  });

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

describe('the chart on a cluster that it can ask', () => {
  it('names the API server, which no contract may, where no values do', async () => {
    const output = await helm(program, [
      'template',
      'other',
      chart,
      '--dry-run=server',
      '--show-only=templates/renderer-options.yaml',
      '--set=auth.existingSecret=given',
      ...where,
    ]);
    const service = await kube.get('service', 'kubernetes', 'default');
    const slice = await kube.get('endpointslice', 'kubernetes', 'default');
    const endpoints = (slice?.endpoints ?? []) as JsonObject[];
    const behind = endpoints.flatMap(({ addresses }) => addresses as string[]);
    const addresses = (service?.spec?.clusterIPs ?? []) as string[];
    expect(addresses.length).toBeGreaterThan(0);
    const expected = [...addresses, ...behind].map((address) => `${address}/32`);
    expect(behind.length).toBeGreaterThan(0);
    for (const cidr of expected) expect(output).toContain(`"${cidr}"`);
  });
});

describe('the pods of the chart', () => {
  const namespace = `restricted-${Date.now().toString(36)}`;
  afterAll(() => kube.remove('namespace', namespace));

  it('pass Pod Security restricted, the one of helm test too', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await kube.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }]);
    const manifests = await renderChart(program);
    const template = find(manifests, 'Deployment', 'tentacular-mcp').spec?.template as JsonObject;
    const spec = { ...(template.spec as JsonObject), serviceAccountName: 'default' };
    const test = find(manifests, 'Pod', 'tentacular-mcp-preflight').spec;
    const dryRun = (name: string, podSpec: JsonObject | undefined) =>
      kube.kubectl(
        ['create', '--dry-run=server', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec: podSpec }),
      );
    await expect(dryRun('server', spec)).resolves.toContain('created');
    await expect(dryRun('preflight', test)).resolves.toContain('created');
    await expect(dryRun('host', { ...spec, hostNetwork: true })).rejects.toThrow('violates PodSecurity');
  });
});
