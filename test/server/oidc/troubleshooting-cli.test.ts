import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { type Home, makeHome } from '../../cli/home.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { openHostPort, selfSigned } from '../../support/host-port.ts';
import { projectRoot } from '../../support/source-files.ts';
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
    await loggedIn('http://mcp.example.com');
    for (const command of ['login', 'whoami']) {
      const refused = await home.tntc([command, '--env', 'prod']);
      expect(refused.code).toBe(2);
      expectDocumented(refused.notes[0] ?? '');
    }
    home.user({ environments: { prod: { mcp_endpoint: harness.endpoint, oidc_issuer } } });
    await loggedIn(harness.url);
    expect((await whoami({})).code).toBe(0);
  });

  it('that there is neither issuer nor token file gives one of them', async () => {
    const prod = { mcp_endpoint: harness.endpoint };
    home.user({ environments: { prod } });
    const refused = await whoami({});
    expect(refused.code).toBe(3);
    expectDocumented(refused.notes[0] ?? '');
    expect((await whoami({ env: env() })).code).toBe(0);
    writeFileSync(join(home.path, 'token'), token);
    home.user({ environments: { prod: { ...prod, mcp_token_path: '~/token' } } });
    expect((await whoami({})).code).toBe(0);
    home.user({ environments: { prod: { ...prod, oidc_issuer: issuer.issuer } } });
    await loggedIn(harness.url);
    expect((await whoami({})).code).toBe(0);
  });

  it('that there is no MCP at the endpoint puts its path in', async () => {
    home.user({ environments: { prod: { mcp_endpoint: harness.url } } });
    const refused = await whoami({ env: env() });
    expect(refused.code).toBe(1);
    expectDocumented(refused.notes.at(-1) ?? '');
    home.user({ environments: { prod: { mcp_endpoint: `${harness.url}/mcp` } } });
    expect((await whoami({ env: env() })).code).toBe(0);
  });

  it('that a certificate is of nobody known names the authority', async () => {
    const certificate = await selfSigned('127.0.0.1');
    const tls = await openHostPort('127.0.0.1', () => Number(new URL(harness.url).port), certificate);
    const authority = join(home.path, 'authority.pem');
    writeFileSync(authority, certificate.cert);
    const TNTC_MCP_ENDPOINT = `https://127.0.0.1:${tls.port}/mcp`;
    try {
      const refused = await asProcess({ ...env(), TNTC_MCP_ENDPOINT });
      expect(refused.code).toBe(1);
      expectDocumented(refused.stderr.trim().split('\n').at(-1) ?? '');
      const trusting = await asProcess({ ...env(), TNTC_MCP_ENDPOINT, NODE_EXTRA_CA_CERTS: authority });
      expect(trusting.code).toBe(0);
    } finally {
      await tls.close();
    }
  });

  /** Node reads the authorities that it trusts when it starts. */
  function asProcess(env: Readonly<Record<string, string>>) {
    const args = [join(projectRoot, 'cli/main.ts'), 'whoami'];
    const options = { cwd: home.project, env: { PATH: process.env.PATH, HOME: home.path, ...env } };
    return new Promise<{ code: unknown; stderr: string }>((resolve) =>
      execFile(process.execPath, args, options, (error, _stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      ),
    );
  }

  async function loggedIn(endpoint: string): Promise<void> {
    const tokens = {
      place: { endpoint, issuer: issuer.issuer },
      access_token: await issuer.token(),
      expires_at: Date.now() + 3_600_000,
    };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    writeFileSync(join(home.path, '.tentacular/tokens/prod.json'), JSON.stringify(tokens));
  }
});
