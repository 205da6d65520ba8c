import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryOf } from '../../../server/auth/discovery.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { readConfig } from '../../../server/config.ts';
import { eventually } from '../../support/eventually.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { type Harness, type HarnessOptions, post, startHarness, token as staticToken } from '../support/harness.ts';
import { expectDocumented } from './troubleshooting-table.ts';

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

interface Answer {
  readonly status: number;
  /** What the caller is told; empty where the call went through. */
  readonly message: string;
  readonly headers: Headers;
}

function answerOf(status: number, headers: Headers, body: string): Answer {
  const { error_description: message = '' } = status === 200 ? {} : (JSON.parse(body) as Record<string, string>);
  return { status, message, headers };
}

/** Each row of docs/authentication.md: the message, then what the row says to do, then the same call again. */
describe('a caller who is told', () => {
  let issuer: FakeIssuer;
  const opened: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    issuer = await startFakeIssuer();
  });
  afterAll(async () => {
    for (const close of opened) await close();
    await issuer.stop();
  });

  /** The server as its environment configures it. */
  async function serverWith(environment: Record<string, string> = {}, options: HarnessOptions = {}): Promise<Harness> {
    const config = readConfig({
      TENTACULAR_CONTEXT: 'none',
      TENTACULAR_OIDC_ISSUER: issuer.issuer,
      TENTACULAR_EXTERNAL_URL: 'https://mcp.example.com',
      ...environment,
    });
    const { oidc, externalUrl } = config;
    if (oidc === undefined) throw new Error('the environment names no issuer');
    const authenticator: OidcAuthenticator = createOidcAuthenticator({ ...oidc, retryMs: 100 });
    const discovery = externalUrl === undefined ? {} : { discovery: discoveryOf(externalUrl, oidc.issuer) };
    const authentication = () => ({ authenticator, ...discovery, toolScopes: oidc.toolScopes });
    const harness = await startHarness({ ...options, origins: config, authentication });
    opened.push(
      () => harness.close(),
      () => authenticator.close(),
    );
    return harness;
  }

  async function ask(
    server: Harness,
    token: string | undefined,
    more: { readonly headers?: Record<string, string>; readonly body?: unknown } = {},
  ): Promise<Answer> {
    const headers = { authorization: token === undefined ? '' : `Bearer ${token}`, ...more.headers };
    const response = await post(server.endpoint, more.body ?? ping, headers);
    return answerOf(response.status, response.headers, await response.text());
  }

  /** As from a page on this machine, whose browser was made to take the server for one of that name. */
  async function askByName(server: Harness, host: string, token: string): Promise<Answer> {
    const { statusCode, body } = await request(server.endpoint, {
      method: 'POST',
      headers: { ...json, authorization: `Bearer ${token}`, origin: 'http://localhost:3000', host },
      body: JSON.stringify(ping),
    });
    return answerOf(statusCode, new Headers(), await body.text());
  }

  async function expectRefused(answer: Promise<Answer>, status: number): Promise<Answer> {
    const refused = await answer;
    expect(refused.status).toBe(status);
    expectDocumented(refused.message);
    return refused;
  }
  const expectServed = async (answer: Promise<Answer>) => expect((await answer).status).toBe(200);

  it('that there are no credentials sends some', async () => {
    const server = await serverWith();
    const { headers } = await expectRefused(ask(server, undefined), 401);
    expect(headers.get('www-authenticate')).toContain('resource_metadata=');
    await expectServed(ask(server, await issuer.token()));
  });

  it('that the token has expired comes with a new one', async () => {
    const server = await serverWith();
    const hourAgo = Math.floor(Date.now() / 1000) - 3600;
    await expectRefused(ask(server, await issuer.token({ exp: hourAgo })), 401);
    await expectServed(ask(server, await issuer.token()));
  });

  it('that the token is for another audience gets one for this server, or has its audience configured', async () => {
    const server = await serverWith();
    const other = await issuer.token({ aud: ['tentacular', 'account'] });
    await expectRefused(ask(server, other), 401);
    await expectServed(ask(server, await issuer.token({ aud: [audience, 'account'] })));
    await expectServed(ask(await serverWith({ TENTACULAR_OIDC_AUDIENCE: 'tentacular' }), other));
  });

  it('that the issuer is another has it configured as it stands in tokens, to the slash', async () => {
    const server = await serverWith({ TENTACULAR_OIDC_ISSUER: `${issuer.issuer}/` });
    const token = await issuer.token();
    await expectRefused(ask(server, token), 401);
    await expectServed(ask(await serverWith({ TENTACULAR_OIDC_ISSUER: issuer.issuer }), token));
  });

  it('that an ID token is no access token sends the other of the two', async () => {
    const server = await serverWith();
    await expectRefused(ask(server, await issuer.token({ typ: 'ID' })), 401);
    await expectServed(ask(server, await issuer.token({ typ: 'Bearer' })));
  });

  it('that the key is not published logs in again', async () => {
    const [before] = issuer.keys;
    const token = await issuer.token();
    await issuer.addKey();
    issuer.keys = issuer.keys.filter((key) => key !== before);
    const server = await serverWith();
    await expectRefused(ask(server, token), 401);
    await expectServed(ask(server, await issuer.token()));
  });

  it('that the token is not known takes the one that is in the Secret now', async () => {
    const server = await serverWith();
    const next = 'the-next-static-token-'.padEnd(64, 'n');
    await server.setTokens(next);
    await expectRefused(ask(server, staticToken), 401);
    await expectServed(ask(server, next));
    await server.setTokens(`${next}\n${staticToken}`);
    await expectServed(ask(server, staticToken));
  });

  it('that the client is not allowed has it put on the list', async () => {
    const token = await issuer.token({ azp: 'agents' });
    const listed = (clients: string) => serverWith({ TENTACULAR_OIDC_ALLOWED_CLIENTS: clients });
    await expectRefused(ask(await listed('tentacular-mcp'), token), 401);
    await expectServed(ask(await listed('tentacular-mcp,agents'), token));
  });

  it('that there is no discovery document has externalURL set', async () => {
    const path = '/.well-known/oauth-protected-resource/mcp';
    const bare = await serverWith({ TENTACULAR_EXTERNAL_URL: '', TENTACULAR_OIDC_AUDIENCE: audience });
    const missing = await fetch(`${bare.url}${path}`);
    expect(missing.status).toBe(404);
    expectDocumented(((await missing.json()) as { error_description: string }).error_description);
    expect((await ask(bare, undefined)).headers.get('www-authenticate')).not.toContain('resource_metadata');
    const server = await serverWith();
    expect((await fetch(`${server.url}${path}`)).status).toBe(200);
    expect((await ask(server, undefined)).headers.get('www-authenticate')).toContain(`https://mcp.example.com${path}`);
  });

  it('that a scope is missing comes back with the scopes of the challenge', async () => {
    const server = await serverWith({ TENTACULAR_OIDC_TOOL_SCOPES: 'wf_remove=tentacles:destroy' });
    const asking = { body: call('wf_remove') };
    const poor = await issuer.token({ scope: 'openid email profile' });
    const { headers } = await expectRefused(ask(server, poor, asking), 403);
    const scope = /scope="([^"]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1];
    expect(scope).toBe('openid email profile tentacles:destroy');
    await expectServed(ask(server, await issuer.token({ scope }), asking));
  });

  it('that the site of a page is not allowed has it put on the list', async () => {
    const page = { headers: { origin: 'https://portal.example.com' } };
    await expectRefused(ask(await serverWith(), staticToken, page), 403);
    const allowing = await serverWith({ TENTACULAR_ALLOWED_ORIGINS: 'https://portal.example.com' });
    await expectServed(ask(allowing, staticToken, page));
  });

  it('that a page may not call the server by that name has the name put on the list', async () => {
    const token = await issuer.token();
    const calling = (server: Harness) => askByName(server, 'gateway.example.com', token);
    await expectRefused(calling(await serverWith()), 403);
    await expectServed(calling(await serverWith({ TENTACULAR_ALLOWED_HOSTS: 'gateway.example.com' })));
  });

  it('that there are too many calls waits as long as Retry-After says', async () => {
    let clock = 0;
    const server = await serverWith({}, { callsPerSecond: 1, callClock: () => clock });
    const token = await issuer.token();
    await expectServed(ask(server, token));
    const { headers } = await expectRefused(ask(server, token), 429);
    clock += Number(headers.get('retry-after')) * 1000;
    await expectServed(ask(server, token));
  });

  it('that there were too many failed attempts sends a token that is right', async () => {
    const server = await serverWith({}, { failedAuthentications: 1 });
    expect((await ask(server, 'x'.repeat(64))).status).toBe(401);
    await expectRefused(ask(server, 'x'.repeat(64)), 429);
    await expectServed(ask(server, staticToken));
  });

  it('that callers cannot be identified now waits for the issuer, and meanwhile uses the static token', async () => {
    const token = await issuer.token();
    await issuer.stop();
    const server = await serverWith();
    const { headers } = await expectRefused(ask(server, token), 503);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    await expectServed(ask(server, staticToken));
    await issuer.resume();
    await eventually('the issuer is found', async () => (await ask(server, token)).status === 200);
  });
});
