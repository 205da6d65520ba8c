import { afterAll, describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import { createKube } from '../support/kube.ts';
import { chart, find, helm, renderChart } from './chart.ts';

const program = inject('helm');
const system = inject('systemNamespace');
const kube = createKube(inject('kubectl'), inject('kubeconfig'));
const where = ['--namespace', system, '--kubeconfig', inject('kubeconfig')];

describe('the installed release', () => {
  it('passes helm test', async () => {
    const output = await helm(program, ['test', 'tentacular-mcp', '--logs', ...where]);
    expect(output).toContain('Succeeded');
    expect(output.match(/^ok /gm)).toHaveLength(4);
    expect(output).not.toContain('FAIL');
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
    await kube.makeNamespace(namespace, labels);
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
