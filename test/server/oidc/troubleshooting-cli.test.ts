import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { type Home, makeHome } from '../../cli/home.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { type Harness, startHarness, token } from '../support/harness.ts';
import { expectDocumented } from './troubleshooting-table.ts';

/** Rows of docs/authentication.md that a terminal shows; those with a login are in troubleshooting.keycloak.test.ts. */
describe('whom tntc tells', () => {
  let home: Home;
  let issuer: FakeIssuer;
  let oidc: OidcAuthenticator;
  let harness: Harness;
  beforeEach(async () => {
    home = makeHome();
    issuer = await startFakeIssuer();
    oidc = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [] });
    harness = await startHarness({ authentication: () => ({ authenticator: oidc }) });
  });
  afterEach(async () => {
    await harness.close();
    await oidc.close();
    await issuer.stop();
    home.remove();
  });
  const whoami = (more: Parameters<Home['tntc']>[1]) => home.tntc(['whoami', '--env', 'prod'], more);
  const project = () => home.projectConfig({ environments: { prod: { mcp_endpoint: harness.endpoint } } });
  const env = () => ({ TNTC_MCP_TOKEN: token });

  it('that the endpoint comes from the project says yes once', async () => {
    project();
    const refused = await whoami({ env: env() });
    expect(refused.code).toBe(2);
    expectDocumented(refused.notes[0] ?? '');
    expect((await whoami({ env: env(), ask: async () => true })).code).toBe(0);
    expect((await whoami({ env: env() })).code).toBe(0);
  });

  it('that he said no to the endpoint of the project names it in his own configuration', async () => {
    project();
    const refused = await whoami({ env: env(), ask: async () => false });
    expect(refused.code).toBe(2);
    expectDocumented(refused.notes[0] ?? '');
    home.user({ environments: { prod: { mcp_endpoint: harness.endpoint } } });
    expect((await whoami({ env: env() })).code).toBe(0);
  });

  it('that the environment has no endpoint names one', async () => {
    const refused = await whoami({ env: env() });
    expect(refused.code).toBe(2);
    expectDocumented(refused.notes[0] ?? '');
    expect((await whoami({ env: { ...env(), TNTC_MCP_ENDPOINT: harness.endpoint } })).code).toBe(0);
    home.user({ environments: { prod: { mcp_endpoint: harness.endpoint } } });
    expect((await whoami({ env: env() })).code).toBe(0);
  });

  it('that the server is not https reaches it on this machine', async () => {
    const oidc_issuer = issuer.issuer;
    home.user({ environments: { prod: { mcp_endpoint: 'http://mcp.example.com/mcp', oidc_issuer } } });
    const refused = await home.tntc(['login', '--env', 'prod']);
    expect(refused.code).toBe(2);
    expectDocumented(refused.notes[0] ?? '');
    home.user({ environments: { prod: { mcp_endpoint: harness.endpoint, oidc_issuer } } });
    // The next thing that is missing: this issuer has no device grant.
    expect((await home.tntc(['login', '--env', 'prod'])).code).toBe(3);
    expect((await whoami({ env: { TNTC_MCP_TOKEN: await issuer.token() } })).code).toBe(0);
  });

  it('that there is neither issuer nor token file gives one of them', async () => {
    const prod = { mcp_endpoint: harness.endpoint };
    home.user({ environments: { prod } });
    const refused = await whoami({});
    expect(refused.code).toBe(3);
    expectDocumented(refused.notes[0] ?? '');
    home.user({ environments: { prod: { ...prod, oidc_issuer: issuer.issuer } } });
    expect((await whoami({ env: { TNTC_MCP_TOKEN: await issuer.token() } })).code).toBe(0);
  });
});
