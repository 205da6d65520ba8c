import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { defaultPodSecurityVersion } from '../../constructs/k8s/pod-security.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import { renderEnclave } from '../../constructs/render.ts';
import { parseRendererOptions } from '../../server/renderer-options.ts';
import { rendererOptions } from '../server/support/renderer-options.ts';
import { chart, find, helm, renderChart } from './chart.ts';

const program = inject('helm');
const token = (letter: string) => letter.repeat(40);

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}
const rulesOf = (role: Manifest) => role.rules as unknown as Rule[];

describe('the chart of the control plane', () => {
  it('passes helm lint', async () => {
    expect(await helm(program, ['lint', '--strict', chart])).toContain('0 chart(s) failed');
  });

  it.each<[string, JsonObject, string]>([
    ['a word for a number', { replicaCount: 'two' }, '/replicaCount'],
    ['an unknown key', { replicas: 2 }, "'replicas' not allowed"],
    ['an unknown key of the renderer', { renderer: { podCidr: [] } }, "'podCidr' not allowed"],
    ['a token that can be guessed', { auth: { token: 'short' } }, '/auth/token'],
    ['a range without its length', { renderer: { podCidrs: ['10.0.0.0'] } }, '/renderer/podCidrs/0'],
    ['a toleration with a typo', { renderer: { tolerations: [{ effects: 'NoExecute' }] } }, '/renderer/tolerations/0'],
    [
      'a Pod Security version that is none',
      { renderer: { podSecurityVersion: '1.33' } },
      '/renderer/podSecurityVersion',
    ],
    ['a Service type that there is not', { service: { type: 'Nodeport' } }, '/service/type'],
    ['text for a switch', { authz: { enabled: 'no' } }, '/authz/enabled'],
    ['a provisioner who could be nobody', { authz: { provisioners: ['somebody'] } }, '/authz/provisioners/0'],
    ['a URL without scheme', { externalURL: 'mcp.example.com' }, '/externalURL'],
    ['an unknown log level', { logLevel: 'verbose' }, '/logLevel'],
  ])('%s is refused, by its path', async (_what, values, path) => {
    await expect(renderChart(program, values)).rejects.toThrow(path);
  });

  it('the global that a parent chart hands down is accepted', async () => {
    await expect(renderChart(program, { global: { imageRegistry: 'r.example.com' } })).resolves.not.toHaveLength(0);
  });

  it.each<[string, JsonObject, string]>([
    ['two different tokens', { auth: { token: token('a'), bearerToken: token('b') } }, 'are both set and differ'],
    ['a token beside a Secret', { auth: { token: token('a'), existingSecret: 's' } }, 'give one of them'],
    ['no token where none can be looked up', { auth: {} }, 'set auth.existingSecret'],
    ['an Ingress without host', { ingress: { enabled: true } }, 'ingress.hosts'],
    ['an egress policy without API server', { networkPolicy: { egress: { enabled: true } } }, 'apiServer.cidrs'],
  ])('%s is refused with what to do', async (_what, values, message) => {
    await expect(renderChart(program, values)).rejects.toThrow(message);
  });

  it.each<[string[], string | undefined]>([
    [[], undefined],
    [['nobody'], 'nobody'],
    [['ada@example.com', '@example.com', 'client:ci'], 'ada@example.com,@example.com,client:ci'],
  ])('provisioners %j reach the server', async (provisioners, expected) => {
    const deployment = find(
      await renderChart(program, { auth: { token: token('t') }, authz: { provisioners } }),
      'Deployment',
      'tentacular-mcp',
    );
    const value = /"TENTACULAR_AUTHZ_PROVISIONERS","value":"([^"]*)"/.exec(JSON.stringify(deployment))?.[1];
    expect(value).toBe(expected);
  });

  it.each(['token', 'bearerToken'])('auth.%s becomes the key token of tentacular-mcp-auth', async (key) => {
    const manifests = await renderChart(program, { auth: { [key]: token('t') } });
    expect(find(manifests, 'Secret', 'tentacular-mcp-auth').data).toEqual({
      token: Buffer.from(token('t')).toString('base64'),
    });
  });

  it('with auth.existingSecret no Secret is rendered and that one is mounted', async () => {
    const manifests = await renderChart(program);
    expect(manifests.filter((manifest) => manifest.kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(find(manifests, 'Deployment', 'tentacular-mcp').spec)).toContain('"secretName":"given"');
  });

  it.each<[JsonObject, JsonObject]>([
    [{}, { type: 'NodePort', nodePort: 30080 }],
    [{ nodePort: null }, { type: 'NodePort', nodePort: undefined }],
    [{ type: 'ClusterIP' }, { type: 'ClusterIP', nodePort: undefined }],
    [
      { type: 'LoadBalancer', nodePort: 30443 },
      { type: 'LoadBalancer', nodePort: 30443 },
    ],
  ])('service %o is a Service %o', async (service, expected) => {
    const { spec = {} } = find(await renderChart(program, { service }), 'Service', 'tentacular-mcp');
    const [port] = spec.ports as JsonObject[];
    expect({ type: spec.type, nodePort: port?.nodePort }).toEqual(expected);
    expect(port).toMatchObject({ port: 8080, targetPort: 'http' });
  });

  it('metrics are on no Service that is reachable from outside', async () => {
    const services = (await renderChart(program)).filter((manifest) => manifest.kind === 'Service');
    const open = services.filter((service) => service.spec?.type !== undefined);
    expect(open.map((service) => service.metadata.name)).toEqual(['tentacular-mcp']);
    expect(JSON.stringify(open)).not.toContain('metrics');
  });

  it('the renderer options hold what was given, and the control plane as it is installed', async () => {
    const renderer = {
      runtimeClassName: 'gvisor',
      dns: { cidrs: ['169.254.20.10/32'] },
      podCidrs: ['192.0.2.0/24'],
      engineImage: 'r.example.com/engine:7',
    };
    const manifests = await renderChart(program, { renderer }, 'elsewhere');
    const { data } = find(manifests, 'ConfigMap', 'tentacular-mcp-renderer');
    expect(JSON.parse(String(data?.['renderer.json']))).toMatchObject({
      ...renderer,
      controlPlane: {
        namespace: 'elsewhere',
        serviceAccount: 'tentacular-mcp',
        podLabels: { 'app.kubernetes.io/name': 'tentacular-mcp' },
        enclaveClusterRole: 'tentacular-enclave',
      },
    });
  });

  it('every renderer option that the chart takes is one that the server takes', async () => {
    const service = { host: 'db.example.com', port: 5432, targetPort: 5433, cidr: '192.0.2.9/32' };
    const renderer = {
      engineImage: 'r.example.com/engine:7',
      allowedEngineImages: ['r.example.com/engine:*'],
      allowedSidecarImages: ['r.example.com/*'],
      runtimeClassName: 'gvisor',
      dns: {
        namespaceLabels: { a: 'b' },
        podLabels: { c: 'd' },
        cidrs: ['169.254.20.10/32', 'fd00::a/128'],
        port: 5353,
      },
      podCidrs: ['192.0.2.0/24'],
      serviceCidrs: ['2001:db8::/64'],
      nodeCidrs: ['198.51.100.0/24'],
      apiServerCidrs: ['198.51.100.1/32'],
      moduleProxy: { kind: 'registry', url: 'http://proxy:4873', namespace: 's', podLabels: { e: 'f' }, port: 4873 },
      otlp: { endpoint: 'http://otlp:4318', namespace: 'o', port: 4318 },
      exoskeleton: { postgres: service, nats: service, rustfs: service },
      imagePullSecrets: ['pull'],
      imagePullPolicy: 'Never',
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'k', operator: 'Equal', value: 'v', effect: 'NoExecute', tolerationSeconds: 5 }],
      podSecurityVersion: 'v1.33',
      // The compiler holds this list to all that the renderer knows; controlPlane is the chart's own to fill in.
    } satisfies Required<Omit<RendererOptions, 'controlPlane'>>;
    const { data } = find(await renderChart(program, { renderer }), 'ConfigMap', 'tentacular-mcp-renderer');
    expect(parseRendererOptions(String(data?.['renderer.json']))).toMatchObject(renderer);
    const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as {
      properties: { renderer: { properties: JsonObject } };
    };
    expect(Object.keys(schema.properties.renderer.properties).sort()).toEqual(Object.keys(renderer).sort());
  });

  it('without any value the renderer options are such as the server starts with', async () => {
    const { data } = find(await renderChart(program), 'ConfigMap', 'tentacular-mcp-renderer');
    expect(parseRendererOptions(String(data?.['renderer.json'])).engineImage).toBe('localhost/tentacular-engine:0.1.0');
  });

  it('other renderer options are other pods, because they are read at start-up', async () => {
    const template = async (values: JsonObject) =>
      JSON.stringify(find(await renderChart(program, values), 'Deployment', 'tentacular-mcp').spec?.template);
    expect(await template({})).toBe(await template({}));
    expect(await template({ renderer: { podCidrs: ['192.0.2.0/24'] } })).not.toBe(await template({}));
  });

  it('one replica has no disruption budget, which would hold up every drain', async () => {
    const kinds = async (values: JsonObject) => (await renderChart(program, values)).map((manifest) => manifest.kind);
    expect(await kinds({})).toContain('PodDisruptionBudget');
    expect(await kinds({ replicaCount: 1 })).not.toContain('PodDisruptionBudget');
  });
});

describe('the rights that the chart gives', () => {
  it('hold no wildcard, no escalate, no impersonate, and bind on one ClusterRole only', async () => {
    const roles = (await renderChart(program)).filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role');
    expect(roles.map((role) => role.metadata.name).sort()).toEqual(['tentacular-enclave', 'tentacular-mcp']);
    for (const rule of roles.flatMap(rulesOf)) {
      expect(JSON.stringify(rule)).not.toMatch(/"\*|\*"|escalate|impersonate/);
      if (rule.verbs.includes('bind')) {
        expect(rule).toEqual({
          apiGroups: ['rbac.authorization.k8s.io'],
          resources: ['clusterroles'],
          resourceNames: ['tentacular-enclave'],
          verbs: ['bind'],
        });
      }
    }
  });

  it('let the server read no Secret, and write nothing but Namespaces and RoleBindings, outside enclaves', async () => {
    const role = find(await renderChart(program), 'ClusterRole', 'tentacular-mcp');
    const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
    const written = rulesOf(role).filter((rule) => rule.verbs.some((verb) => writes.has(verb)));
    expect([...new Set(written.flatMap((rule) => rule.resources))].sort()).toEqual(['namespaces', 'rolebindings']);
    expect(JSON.stringify(role.rules)).not.toContain('secrets');
  });

  it('let the server look at and change the one RoleBinding of an enclave, and none of others', async () => {
    const role = find(await renderChart(program), 'ClusterRole', 'tentacular-mcp');
    const rules = rulesOf(role).filter(({ resources }) => resources.includes('rolebindings'));
    const { manifests } = renderEnclave({ name: 'team' }, rendererOptions);
    const names = manifests.filter(({ kind }) => kind === 'RoleBinding').map(({ metadata }) => metadata.name);
    expect(rules.map(({ verbs, resourceNames }) => [verbs, resourceNames])).toEqual([
      [['create'], undefined],
      [['get', 'patch'], names],
    ]);
  });

  it('let enclaves be pinned to the version of Pod Security that the renderer has, and to none older', async () => {
    const held = async (values: JsonObject) =>
      JSON.stringify(
        find(await renderChart(program, values), 'ValidatingAdmissionPolicy', 'tentacular-mcp-namespaces').spec,
      );
    expect(await held({})).toContain(`['latest', '${defaultPodSecurityVersion}', variables.versionBefore]`);
    const newer = await held({ renderer: { podSecurityVersion: 'v1.33' } });
    expect(newer).toContain("['latest', 'v1.33', variables.versionBefore]");
  });

  it('are bound cluster-wide for the server alone; what it may do in enclaves is bound nowhere by the chart', async () => {
    const bindings = (await renderChart(program)).filter(({ kind }) => kind.endsWith('RoleBinding'));
    expect(bindings.map(({ kind, roleRef }) => [kind, (roleRef as JsonObject).name])).toEqual([
      ['ClusterRoleBinding', 'tentacular-mcp'],
    ]);
  });
});
