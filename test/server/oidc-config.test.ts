import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '../../server/config.ts';

const issuer = 'https://id.example.com/realms/tentacular';
const read = (environment: Record<string, string>) => readConfig({ TENTACULAR_CONTEXT: 'c', ...environment });

describe('configuration of OIDC', () => {
  it('is absent without an issuer', () => {
    expect(read({ TENTACULAR_EXTERNAL_URL: 'https://mcp.example.com' }).oidc).toBeUndefined();
  });

  it('needs the issuer and the public URL alone: tokens are meant for its /mcp', () => {
    const config = read({ TENTACULAR_OIDC_ISSUER: issuer, TENTACULAR_EXTERNAL_URL: 'https://MCP.example.com:8443/' });
    expect(config).toMatchObject({ externalUrl: 'https://mcp.example.com:8443', externalHost: 'mcp.example.com' });
    expect(config.oidc).toEqual({
      issuer,
      audience: 'https://mcp.example.com:8443/mcp',
      allowedClients: [],
      toolScopes: {},
    });
  });

  it('a public URL may have a path, whose slash at the end does not count', () => {
    const environment = {
      TENTACULAR_OIDC_ISSUER: issuer,
      TENTACULAR_EXTERNAL_URL: 'https://x.example.com/tentacular/',
    };
    expect(read(environment).oidc?.audience).toBe('https://x.example.com/tentacular/mcp');
  });

  it('takes every part from its variable; the issuer as it is written, to the slash', () => {
    const { oidc } = read({
      TENTACULAR_OIDC_ISSUER: 'https://Id.example.com/',
      TENTACULAR_OIDC_AUDIENCE: 'tentacular',
      TENTACULAR_OIDC_JWKS_URL: 'http://keycloak.auth.svc:8080/certs',
      TENTACULAR_OIDC_CA_FILE: '/etc/tentacular/oidc/ca.crt',
      TENTACULAR_OIDC_CLIENT_ID: 'tentacular-mcp',
      TENTACULAR_OIDC_ALLOWED_CLIENTS: 'CI, agents',
      TENTACULAR_OIDC_TOOL_SCOPES: 'wf_remove=tentacles:write tentacles:destroy, wf_run=tentacles:run',
    });
    expect(oidc).toEqual({
      issuer: 'https://Id.example.com/',
      audience: 'tentacular',
      jwksUrl: 'http://keycloak.auth.svc:8080/certs',
      caFile: '/etc/tentacular/oidc/ca.crt',
      allowedClients: ['CI', 'agents', 'tentacular-mcp'],
      toolScopes: { wf_remove: ['tentacles:write', 'tentacles:destroy'], wf_run: ['tentacles:run'] },
    });
  });

  // A Secret made from a file ends with a line break; with it in the audience no token would ever fit.
  it('a line break at the end of a value counts for nothing', () => {
    const values = {
      ISSUER: issuer,
      AUDIENCE: 'tentacular',
      CLIENT_ID: 'tentacular-mcp',
      JWKS_URL: 'https://x.example/',
    };
    const variables = (end: string) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [`TENTACULAR_OIDC_${name}`, `${value}${end}`]));
    const clients = { TENTACULAR_OIDC_ALLOWED_CLIENTS: 'ci' };
    expect(read({ ...variables('\n'), ...clients }).oidc).toEqual(read({ ...variables(''), ...clients }).oidc);
  });

  it('the client of the command line shuts out no other client as long as there is no list', () => {
    const environment = { TENTACULAR_OIDC_ISSUER: issuer, TENTACULAR_OIDC_AUDIENCE: 'a' };
    expect(read({ ...environment, TENTACULAR_OIDC_CLIENT_ID: 'tentacular-mcp' }).oidc?.allowedClients).toEqual([]);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['no audience and no public URL', { TENTACULAR_OIDC_ISSUER: issuer }, /OIDC_AUDIENCE: is required/],
    ['an audience without an issuer', { TENTACULAR_OIDC_AUDIENCE: 'a' }, /OIDC_AUDIENCE: is set, but .*ISSUER is not/],
    ['clients without an issuer', { TENTACULAR_OIDC_ALLOWED_CLIENTS: 'a' }, /ALLOWED_CLIENTS: is set, but/],
    ['an issuer that is no URL', { TENTACULAR_OIDC_ISSUER: 'id.example.com' }, /OIDC_ISSUER: must be an http/],
    ['an issuer with a query', { TENTACULAR_OIDC_ISSUER: `${issuer}?a=b` }, /OIDC_ISSUER: must have no query/],
    ['keys from a file', { TENTACULAR_OIDC_JWKS_URL: 'file:///keys' }, /OIDC_JWKS_URL: must be an http/],
    ['a relative CA file', { TENTACULAR_OIDC_CA_FILE: 'ca.crt' }, /OIDC_CA_FILE: must be an absolute path/],
    [
      'scopes of a tool that there is not',
      { TENTACULAR_OIDC_TOOL_SCOPES: 'wf_destroy=x' },
      /"wf_destroy", which is no/,
    ],
    // The harm: the second would take the place of the first, and its scope would be asked of nobody.
    ['a tool that stands there twice', { TENTACULAR_OIDC_TOOL_SCOPES: 'wf_run=a,wf_run=b' }, /names wf_run more than/],
    ['a tool without scopes', { TENTACULAR_OIDC_TOOL_SCOPES: 'wf_run=' }, /gives wf_run no scopes/],
    ['a scope that breaks out of the header', { TENTACULAR_OIDC_TOOL_SCOPES: 'wf_run=a"b' }, /gives wf_run no scopes/],
    [
      'a public URL with a query',
      { TENTACULAR_EXTERNAL_URL: 'https://x.example.com/?a' },
      /EXTERNAL_URL: must have no/,
    ],
    [
      'a public URL with a password',
      { TENTACULAR_EXTERNAL_URL: 'https://a:b@x.example.com' },
      /EXTERNAL_URL: must have no/,
    ],
  ])('%s is refused', (_what, environment, fault) => {
    expect(() => read(environment)).toThrow(ConfigError);
    expect(() => read(environment)).toThrow(fault);
  });

  it('its faults are told together with all others', () => {
    const wrong = () => readConfig({ TENTACULAR_OIDC_ISSUER: issuer, TENTACULAR_CONTEXT: '' });
    expect(wrong).toThrow(/TENTACULAR_OIDC_AUDIENCE/);
    expect(wrong).toThrow(/TENTACULAR_CONTEXT/);
  });
});
