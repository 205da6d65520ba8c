import { describe, expect, inject, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { readConfig } from '../../server/config.ts';
import { find, renderChart } from './chart.ts';

const program = inject('helm');
const issuer = 'https://keycloak.example.com/realms/tentacular';
const externalURL = 'https://mcp.example.com';
const caBundle = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

interface Container {
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: JsonObject }[];
}

const render = (exoskeletonAuth: JsonObject, values: JsonObject = { externalURL }) =>
  renderChart(program, { ...values, exoskeletonAuth: { enabled: true, ...exoskeletonAuth } });

function environmentOf(manifests: readonly Manifest[]): Container['env'] {
  const spec = find(manifests, 'Deployment', 'tentacular-mcp').spec as unknown as {
    template: { spec: { containers: Container[] } };
  };
  return spec.template.spec.containers[0]?.env ?? [];
}

describe('OIDC in the chart', () => {
  it('is off, whatever else is said, until it is enabled', async () => {
    const manifests = await render({ enabled: false, issuer, caBundle });
    expect(JSON.stringify(manifests)).not.toMatch(/OIDC|oidc/);
  });

  it('inline values become an environment that the server starts with', async () => {
    const manifests = await render({
      issuer,
      clientId: 'tentacular-mcp',
      audience: 'tentacular',
      jwksURL: 'http://keycloak.auth.svc:8080/realms/tentacular/protocol/openid-connect/certs',
      caBundle,
      allowedClients: ['ci', 'agents'],
      toolScopes: { wf_remove: ['tentacles:write', 'tentacles:destroy'], wf_run: ['tentacles:run'] },
    });
    const given = environmentOf(manifests).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]));
    const config = readConfig({ ...Object.fromEntries(given), TENTACULAR_CONTEXT: 'c' });
    expect(config.oidc).toEqual({
      issuer,
      audience: 'tentacular',
      jwksUrl: 'http://keycloak.auth.svc:8080/realms/tentacular/protocol/openid-connect/certs',
      caFile: '/etc/tentacular/oidc/ca.crt',
      allowedClients: ['ci', 'agents', 'tentacular-mcp'],
      toolScopes: { wf_remove: ['tentacles:write', 'tentacles:destroy'], wf_run: ['tentacles:run'] },
    });
    expect(find(manifests, 'ConfigMap', 'tentacular-mcp-oidc').data).toEqual({ 'ca.crt': caBundle });
    const pod = JSON.stringify(find(manifests, 'Deployment', 'tentacular-mcp').spec);
    expect(pod).toContain('"mountPath":"/etc/tentacular/oidc"');
    expect(pod).toContain('"checksum/oidc"');
  });

  it('issuer and public URL are enough', async () => {
    const names = environmentOf(await render({ issuer })).map(({ name }) => name);
    expect(names.filter((name) => name.includes('OIDC'))).toEqual(['TENTACULAR_OIDC_ISSUER']);
  });

  it('a Secret gives issuer, clientId, audience and jwksURL; the issuer must be there', async () => {
    const environment = environmentOf(await render({ existingSecret: 'keycloak' }, {}));
    expect(environment.filter(({ name }) => name.includes('OIDC'))).toEqual(
      [
        ['AUDIENCE', 'audience'],
        ['CLIENT_ID', 'clientId'],
        ['ISSUER', 'issuer'],
        ['JWKS_URL', 'jwksURL'],
      ].map(([variable, key]) => ({
        name: `TENTACULAR_OIDC_${variable}`,
        valueFrom: { secretKeyRef: { name: 'keycloak', key, ...(key === 'issuer' ? {} : { optional: true }) } },
      })),
    );
  });

  it.each<[string, JsonObject, JsonObject, string]>([
    ['no issuer', {}, { externalURL }, 'needs exoskeletonAuth.issuer'],
    ['nothing that tokens could be meant for', { issuer }, {}, 'needs externalURL'],
    ['a Secret beside an issuer', { issuer, existingSecret: 's' }, { externalURL }, 'give one of them'],
    [
      'an egress policy that shuts the issuer out',
      { issuer },
      { externalURL, networkPolicy: { egress: { enabled: true, apiServer: { cidrs: ['192.0.2.1/32'] } } } },
      'networkPolicy.egress.issuer.to',
    ],
    ['an issuer without scheme', { issuer: 'keycloak.example.com' }, { externalURL }, '/exoskeletonAuth/issuer'],
    ['text that is no certificate', { issuer, caBundle: 'MIIB' }, { externalURL }, '/exoskeletonAuth/caBundle'],
    ['an unknown key', { issuer, jwksUrl: 'x' }, { externalURL }, "'jwksUrl' not allowed"],
    ['a scope with a space', { issuer, toolScopes: { wf_run: ['a b'] } }, { externalURL }, '/toolScopes/wf_run/0'],
    ['a public URL with a query', { issuer }, { externalURL: `${externalURL}/?a` }, '/externalURL'],
  ])('%s stops the rendering', async (_what, auth, values, message) => {
    await expect(render(auth, values)).rejects.toThrow(message);
  });

  it('an egress policy opens the way to the issuer', async () => {
    const to = [{ ipBlock: { cidr: '192.0.2.20/32' } }];
    const egress = { enabled: true, apiServer: { cidrs: ['192.0.2.1/32'] }, issuer: { to, ports: [8443] } };
    const manifests = await render({ issuer }, { externalURL, networkPolicy: { egress } });
    const { spec } = find(manifests, 'NetworkPolicy', 'tentacular-mcp');
    expect(spec?.egress).toContainEqual({ to, ports: [{ port: 8443, protocol: 'TCP' }] });
  });
});
