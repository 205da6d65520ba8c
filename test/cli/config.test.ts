import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readEnvironment } from '../../cli/config.ts';
import { type Home, makeHome } from './home.ts';

const url = (host: string) => `https://${host}.example.com/mcp`;

describe('an environment', () => {
  let home: Home;
  beforeEach(() => {
    home = makeHome();
  });
  afterEach(() => home.remove());
  function read(env: Readonly<Record<string, string>> = {}, flags: { readonly env?: string } = {}) {
    const nothing = () => undefined;
    const { path, project } = home;
    return readEnvironment(
      { env, home: path, cwd: project, out: nothing, note: nothing, ask: async () => undefined, now: Date.now },
      flags,
    );
  }
  const environments = (...names: string[]) =>
    Object.fromEntries(names.map((name) => [name, { mcp_endpoint: url(name) }]));

  it('is chosen by --env before TENTACULAR_ENV before the default of the project before that of the user', async () => {
    home.user({ default_env: 'own', environments: environments('flag', 'variable', 'project', 'own') });
    expect((await read()).name).toBe('own');
    home.projectConfig({ default_env: 'project' });
    expect((await read()).name).toBe('project');
    expect((await read({ TENTACULAR_ENV: 'variable' })).name).toBe('variable');
    expect((await read({ TENTACULAR_ENV: 'variable' }, { env: 'flag' })).name).toBe('flag');
  });

  it('has its endpoint from TNTC_MCP_ENDPOINT before the project before the user', async () => {
    home.user({ environments: { default: { mcp_endpoint: url('own') } } });
    expect(await read()).toMatchObject({ name: 'default', endpoint: url('own'), fromProject: false });
    home.projectConfig({ environments: { default: { mcp_endpoint: url('project') } } });
    expect(await read()).toMatchObject({ endpoint: url('project'), fromProject: true });
    expect(await read({ TNTC_MCP_ENDPOINT: url('variable') })).toMatchObject({
      endpoint: url('variable'),
      fromProject: false,
    });
  });

  it('has issuer and client from the project before the user, each by itself; the client has a default', async () => {
    const [ours, theirs] = ['https://ours.example.com', 'https://theirs.example.com'];
    const own = { mcp_endpoint: url('own'), oidc_issuer: ours };
    home.user({ environments: { default: own } });
    expect(await read()).toMatchObject({ oidc: { issuer: ours, clientId: 'tentacular-mcp' }, fromProject: false });
    home.user({ environments: { default: { ...own, oidc_client_id: 'own', oidc_client_secret: 's' } } });
    expect((await read()).oidc).toEqual({ issuer: ours, clientId: 'own', clientSecret: 's' });
    home.projectConfig({ environments: { default: { oidc_issuer: theirs } } });
    expect(await read()).toMatchObject({ oidc: { issuer: theirs, clientId: 'own' }, fromProject: true });
    home.projectConfig({ environments: { default: { oidc_client_id: 'theirs' } } });
    expect(await read()).toMatchObject({ oidc: { issuer: ours, clientId: 'theirs' }, fromProject: true });
  });

  it('may be named like what every object has', async () => {
    for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
      await expect(read({}, { env: name })).rejects.toThrow('has no mcp_endpoint. Known: none.');
      home.user({ environments: environments(name) });
      expect(await read({}, { env: name })).toMatchObject({ name, endpoint: url(name) });
      home.user({});
    }
  });

  it('is refused with all faults of a file at once', async () => {
    home.user({ default_env: '../x', environments: { prod: { mcp_endpoint: 'ftp://x', mcp_token_path: 'relative' } } });
    await expect(read()).rejects.toThrow(
      /default_env: [\s\S]*environments\.prod\.mcp_endpoint: [\s\S]*environments\.prod\.mcp_token_path: /,
    );
  });

  it.each(['ftp://mcp.example.com', 'mcp.example.com', 'https://a@mcp.example.com/'])(
    'is not taken from a TNTC_MCP_ENDPOINT of %s',
    async (TNTC_MCP_ENDPOINT) => {
      await expect(read({ TNTC_MCP_ENDPOINT })).rejects.toThrow('TNTC_MCP_ENDPOINT: must');
    },
  );
});
