import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryOf } from '../../../server/auth/discovery.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { eventually } from '../../support/eventually.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { projectRoot } from '../../support/source-files.ts';
import { type Harness, post, startHarness, token as staticToken } from '../support/harness.ts';

const publicUrl = 'https://mcp.example.com';
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const place = `resource_metadata="${publicUrl}/.well-known/oauth-protected-resource/mcp"`;
const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } });

describe('a server with OIDC', () => {
  let issuer: FakeIssuer;
  let oidc: OidcAuthenticator;
  let harness: Harness;
  beforeAll(async () => {
    issuer = await startFakeIssuer();
    oidc = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [], retryMs: 50 });
    harness = await startHarness({
      authentication: () => ({
        authenticator: oidc,
        discovery: discoveryOf(publicUrl, issuer.issuer),
        toolScopes: { wf_remove: ['tentacles:write', 'tentacles:destroy'], wf_run: ['tentacles:run'] },
      }),
    });
  });
  afterAll(async () => {
    await harness.close();
    await oidc.close();
    await issuer.stop();
  });
  const send = async (token: string, body: unknown = ping) =>
    post(harness.endpoint, body, { authorization: `Bearer ${token}` });

  it('is found by a client in a page of any site', async () => {
    const ask = { origin: 'https://app.example.org', 'access-control-request-method': 'GET' };
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      const preflight = await fetch(`${harness.url}${path}`, { method: 'OPTIONS', headers: ask });
      const answer = await fetch(`${harness.url}${path}`, { headers: { origin: ask.origin } });
      expect([preflight.status, answer.status]).toEqual([204, 200]);
      for (const { headers } of [preflight, answer]) expect(headers.get('access-control-allow-origin')).toBe('*');
    }
  });

  it('describes the resource at both paths, to everybody', async () => {
    for (const path of ['/.well-known/oauth-protected-resource', '/.well-known/oauth-protected-resource/mcp']) {
      const response = await fetch(`${harness.url}${path}`);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toContain('application/json');
      expect(await response.json()).toEqual({
        resource: 'https://mcp.example.com/mcp',
        authorization_servers: [issuer.issuer],
        scopes_supported: ['openid', 'email', 'profile'],
        bearer_methods_supported: ['header'],
        resource_name: 'Tentacular MCP Server',
      });
    }
  });

  it('tells on each 401 where to find that, and an error only where credentials were sent', async () => {
    for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {
      const asked = await fetch(harness.endpoint, { method });
      expect(asked.status).toBe(401);
      expect(asked.headers.get('www-authenticate')).toBe(`Bearer ${place}, scope="openid email profile"`);
    }
    const refused = await send(await issuer.token({ aud: 'account' }));
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      `Bearer ${place}, scope="openid email profile", error="invalid_token"`,
    );
    expect(await refused.json()).toEqual({
      error: 'invalid_token',
      error_description: 'The token is not meant for this server (aud).',
    });
  });

  it('lets good tokens of the issuer in beside the static one', async () => {
    expect((await send(await issuer.token())).status).toBe(200);
    expect((await send(staticToken)).status).toBe(200);
  });

  it('asks for the scopes of a tool with 403, so that a client can come back with them and keep the others', async () => {
    const poor = await send(await issuer.token({ scope: 'openid tentacles:write' }), call('wf_remove'));
    expect(poor.status).toBe(403);
    expect(poor.headers.get('www-authenticate')).toBe(
      `Bearer ${place}, scope="openid email profile tentacles:write tentacles:destroy", error="insufficient_scope"`,
    );
    expect(await poor.json()).toEqual({
      error: 'insufficient_scope',
      error_description: 'wf_remove needs a token with the scope tentacles:destroy.',
    });
    const rich = await issuer.token({ scope: 'tentacles:destroy openid tentacles:write' });
    expect((await send(rich, call('wf_remove'))).status).toBe(200);
  });

  // The harm: a client that goes from one tool to the other and back logs in each time.
  it('asks for the scopes that the token has for other tools too, and for none that is nothing to us', async () => {
    const token = await issuer.token({ scope: 'openid offline_access tentacles:run' });
    const refused = await send(token, call('wf_remove'));
    expect(refused.headers.get('www-authenticate')).toContain(
      'scope="openid email profile tentacles:run tentacles:write tentacles:destroy"',
    );
  });

  it('records a call that lacks a scope like any other, and once', async () => {
    harness.audit.length = 0;
    const token = await issuer.token({ sub: 'ada' });
    const { params, ...request } = call('wf_remove');
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const _meta = {
      'io.modelcontextprotocol/clientInfo': { name: 'agent', version: '1.2' },
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
    };
    await send(token, { ...request, params: { ...params, _meta } });
    expect(harness.audit).toEqual([
      expect.objectContaining({
        client: 'agent/1.2',
        principal_client: 'tentacular-mcp',
        principal: 'ada',
        principal_sub: 'ada',
        principal_kind: 'oidc',
        tool: 'wf_remove',
        decision: 'denied',
        reason: 'the token lacks the scope tentacles:write tentacles:destroy',
        outcome: 'permission_denied',
        arguments_digest: expect.stringMatching(/^sha256:/),
        trace_id: traceId,
      }),
    ]);
  });

  it('asks for no scope where none is configured, and none of a static token, which knows none', async () => {
    expect((await send(await issuer.token({ scope: '' }), call('wf_list'))).status).toBe(200);
    expect((await send(await issuer.token({ scope: '' }))).status).toBe(200);
    expect((await send(staticToken, call('wf_remove'))).status).toBe(200);
  });

  it('is pinned: what clients see of authentication', async () => {
    const seen = async (response: Response) => ({
      status: response.status,
      'www-authenticate': response.headers.get('www-authenticate'),
      body: await response.json(),
    });
    const pinned = {
      'protected resource': await (await fetch(`${harness.url}/.well-known/oauth-protected-resource/mcp`)).json(),
      'no token': await seen(await fetch(harness.endpoint)),
      'unknown token': await seen(await send('x'.repeat(64))),
      'expired token': await seen(await send(await issuer.token({ exp: 1 }))),
      'token without scope': await seen(await send(await issuer.token(), call('wf_remove'))),
    };
    const text = JSON.stringify(pinned, null, 2).replaceAll(issuer.issuer, 'https://id.example.com/realms/tentacular');
    await expect(`${text}\n`).toMatchFileSnapshot(join(projectRoot, 'snapshots/api/authentication.json'));
  });

  it('counts forged tokens as failed attempts of their address', async () => {
    const strict = await startHarness({ failedAuthentications: 2, authentication: () => ({ authenticator: oidc }) });
    try {
      const forged = await issuer.token({ typ: 'ID' });
      const statuses = [];
      for (let round = 0; round < 4; round += 1) {
        statuses.push((await post(strict.endpoint, ping, { authorization: `Bearer ${forged}` })).status);
      }
      expect(statuses).toEqual([401, 401, 429, 429]);
      const good = await post(strict.endpoint, ping, { authorization: `Bearer ${await issuer.token()}` });
      expect(good.status).toBe(200);
    } finally {
      await strict.close();
    }
  });

  // Behind one address (a NodePort, a proxy) somebody's wrong tokens would keep all others from logging in again.
  it('tells whose token has expired so, also where the attempts of others from there are used up', async () => {
    const strict = await startHarness({ failedAuthentications: 1, authentication: () => ({ authenticator: oidc }) });
    try {
      const statusOf = async (token: string) =>
        (await post(strict.endpoint, ping, { authorization: `Bearer ${token}` })).status;
      expect([await statusOf('x'.repeat(40)), await statusOf('x'.repeat(40))]).toEqual([401, 429]);
      const expired = await issuer.token({ exp: 1 });
      for (let round = 0; round < 3; round += 1) expect(await statusOf(expired)).toBe(401);
      // One that somebody else signed is an attempt, whatever it says of its time.
      const foreign = await startFakeIssuer();
      expect(await statusOf(await foreign.token({ iss: issuer.issuer, exp: 1 }))).toBe(429);
      await foreign.stop();
    } finally {
      await strict.close();
    }
  });

  it('limits the calls of each caller apart, by what the issuer vouches for and not by a name', async () => {
    const strict = await startHarness({
      callsPerSecond: 1,
      callClock: () => 0,
      authentication: () => ({ authenticator: oidc }),
    });
    try {
      const statusOf = async (claims: { sub: string; name: string }) =>
        (await post(strict.endpoint, ping, { authorization: `Bearer ${await issuer.token(claims)}` })).status;
      expect(await statusOf({ sub: 'ada', name: 'Ada' })).toBe(200);
      expect(await statusOf({ sub: 'ada', name: 'Somebody else' })).toBe(429);
      expect(await statusOf({ sub: 'bob', name: 'Ada' })).toBe(200);
    } finally {
      await strict.close();
    }
  });

  it('without a public URL tells nothing of the issuer: 404, and no resource_metadata; but the scopes that lack', async () => {
    const toolScopes = { wf_remove: ['tentacles:write'] };
    const bare = await startHarness({ authentication: () => ({ authenticator: oidc, toolScopes }) });
    try {
      expect((await fetch(`${bare.url}/.well-known/oauth-protected-resource/mcp`)).status).toBe(404);
      expect((await fetch(bare.endpoint)).headers.get('www-authenticate')).toBe('Bearer realm="tentacular"');
      const authorization = `Bearer ${await issuer.token()}`;
      const poor = await post(bare.endpoint, call('wf_remove'), { authorization });
      expect(poor.headers.get('www-authenticate')).toBe(
        'Bearer realm="tentacular", scope="openid email profile tentacles:write", error="insufficient_scope"',
      );
    } finally {
      await bare.close();
    }
  });

  it('writes no token and no claim of a refused one into its log', async () => {
    const token = await issuer.token({ sub: 'canary-sub', email: 'canary@example.com', aud: 'canary-aud' });
    expect((await send(token)).status).toBe(401);
    expect(harness.logs.join('')).not.toMatch(/canary|eyJ/);
  });
});

describe('a server whose issuer is down when it starts', () => {
  it('starts, serves bearer callers, answers others with 503 and Retry-After, and needs no restart', async () => {
    const issuer = await startFakeIssuer();
    const token = await issuer.token();
    await issuer.stop();
    const oidc = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [], retryMs: 50 });
    oidc.start();
    const harness = await startHarness({ authentication: () => ({ authenticator: oidc }) });
    const send = (credential: string) => post(harness.endpoint, ping, { authorization: `Bearer ${credential}` });
    try {
      const refused = await send(token);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('www-authenticate')).toBeNull();
      expect((await send(staticToken)).status).toBe(200);
      expect((await send('x'.repeat(64))).status).toBe(401);
      await issuer.resume();
      await eventually('the issuer is found', async () => (await send(token)).status === 200);
    } finally {
      await harness.close();
      await oidc.close();
      await issuer.stop();
    }
  });
});
