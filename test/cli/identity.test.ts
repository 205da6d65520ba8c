import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { type Home, makeHome, pong } from './home.ts';

const clientSecret = 'client-secret-canary';

describe('where tntc sends credentials', () => {
  let home: Home;
  let server: LoopbackServer;
  let endpoint: string;
  let issuer: FakeIssuer;
  /** Authorization headers that reached the server, and forms with a token that reached the issuer. */
  let received: (string | undefined)[];
  let refreshes: string[];
  beforeEach(async () => {
    home = makeHome();
    received = [];
    refreshes = [];
    issuer = await startFakeIssuer();
    issuer.answer = async (request, response) => {
      const [token_endpoint, revocation_endpoint] = [`${issuer.issuer}/token`, `${issuer.issuer}/revoke/token`];
      const metadata = { issuer: issuer.issuer, jwks_uri: issuer.keysUrl, token_endpoint, revocation_endpoint };
      response.setHeader('content-type', 'application/json');
      if (!request.url?.endsWith('/token')) return void response.end(JSON.stringify(metadata));
      let body = '';
      for await (const chunk of request) body += String(chunk);
      refreshes.push(body);
      const tokens = { token_type: 'bearer', expires_in: 3600, refresh_token: `next-${refreshes.length}` };
      response.end(JSON.stringify({ ...tokens, access_token: await issuer.token({ jti: String(refreshes.length) }) }));
    };
    server = await startLoopbackServer((request, response) => {
      received.push(request.headers.authorization);
      if (!request.headers.authorization?.endsWith('refused')) return void response.end(pong);
      response.writeHead(401).end('{"error_description":"The token is not known here."}');
    });
    endpoint = `${server.origin}/mcp`;
  });
  afterEach(async () => {
    await server.close();
    await issuer.stop();
    home.remove();
  });

  async function loggedIn(place: { endpoint: string; issuer: string }, expiresAt = Date.now() + 3_600_000) {
    const tokens = { place, access_token: await issuer.token(), refresh_token: 'refresh-0', expires_at: expiresAt };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    writeFileSync(join(home.path, '.tentacular/tokens/prod.json'), JSON.stringify(tokens));
  }
  const whoami = (more?: Parameters<Home['tntc']>[1], ...args: string[]) =>
    home.tntc(['whoami', '--env', 'prod', ...args], more);
  const oidc = () => ({ environments: { prod: { mcp_endpoint: endpoint, oidc_issuer: issuer.issuer } } });
  const origin = () => server.origin;

  it.each([
    ['mcp_token_path', { mcp_token_path: '/etc/shadow' }],
    ['oidc_client_secret', { oidc_client_secret: 'x' }],
  ])('a project may not set %s', async (key, setting) => {
    home.projectConfig({ environments: { prod: { mcp_endpoint: endpoint, ...setting } } });
    const shown = await whoami({ env: { TNTC_MCP_TOKEN: 'token' } });
    expect(shown.code).toBe(2);
    expect(shown.notes.join()).toContain(key);
    expect(received).toEqual([]);
  });

  it('nothing goes to an endpoint that a project names until the user has said yes, once', async () => {
    home.projectConfig({ environments: { prod: { mcp_endpoint: endpoint } } });
    const env = { TNTC_MCP_TOKEN: 'good' };
    const questions: string[] = [];
    const ask = (answer: boolean | undefined) => async (question: string) => {
      questions.push(question);
      return answer;
    };
    expect((await whoami({ env })).code).toBe(2);
    expect((await whoami({ env, ask: ask(false) })).code).toBe(2);
    expect(received).toEqual([]);
    expect((await whoami({ env, ask: ask(true) })).code).toBe(0);
    expect((await whoami({ env, ask: ask(false) })).code).toBe(0);
    expect(questions).toHaveLength(2);
    expect(questions[0]).toContain(origin());
    expect(received).toEqual(['Bearer good', 'Bearer good']);
  });

  it('an issuer that a project puts in the place of the own one gets neither secret nor refresh token', async () => {
    home.user({
      environments: {
        prod: { mcp_endpoint: endpoint, oidc_issuer: 'https://id.example.com', oidc_client_secret: clientSecret },
      },
    });
    await loggedIn({ endpoint: origin(), issuer: 'https://id.example.com' }, Date.now());
    home.projectConfig({ environments: { prod: { oidc_issuer: issuer.issuer } } });
    for (const command of ['whoami', 'login']) {
      expect((await home.tntc([command, '--env', 'prod'])).code).toBe(2);
    }
    await home.tntc(['logout', '--env', 'prod']);
    expect(refreshes).toEqual([]);
    expect(received).toEqual([]);
  });

  it('stored tokens are bound to the origin of the endpoint and to the issuer', async () => {
    home.user(oidc());
    for (const place of [
      { endpoint: 'https://other.example.com', issuer: issuer.issuer },
      { endpoint: origin(), issuer: 'https://other.example.com' },
    ]) {
      await loggedIn(place);
      expect(await whoami()).toMatchObject({ code: 3, notes: [expect.stringContaining('tntc login --env prod')] });
    }
    expect(received).toEqual([]);
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer });
    expect((await whoami()).code).toBe(0);
  });

  it('a token is renewed once, however many processes want it', async () => {
    home.user(oidc());
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer }, Date.now() + 30_000);
    const codes = await Promise.all(Array.from({ length: 8 }, async () => (await whoami()).code));
    expect(codes).toEqual(Array.from({ length: 8 }, () => 0));
    expect(refreshes).toHaveLength(1);
    const path = join(home.path, '.tentacular/tokens/prod.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toContain('next-1');
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('the client secret goes to its own issuer where there is one, and no empty one where there is none', async () => {
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer }, 0);
    home.user({ environments: { prod: { ...oidc().environments.prod, oidc_client_secret: clientSecret } } });
    expect((await whoami()).code).toBe(0);
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer }, 0);
    home.user(oidc());
    expect((await whoami()).code).toBe(0);
    const secrets = refreshes.map((form) => new URLSearchParams(form).get('client_secret'));
    expect(secrets).toEqual([clientSecret, null]);
  });

  it('logging out ends the session at the issuer with the refresh token, and is done here in any case', async () => {
    home.user(oidc());
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer });
    expect(await home.tntc(['logout', '--env', 'prod'])).toMatchObject({ code: 0, notes: [] });
    expect(refreshes.map((form) => new URLSearchParams(form).get('token'))).toEqual(['refresh-0']);
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer });
    await issuer.stop();
    expect(await home.tntc(['logout', '--env', 'prod'])).toMatchObject({
      code: 1,
      notes: [
        expect.stringMatching(/^The tokens are removed here, but the session could not be ended: .*[^.]\. It ends/),
      ],
    });
    expect(existsSync(join(home.path, '.tentacular/tokens/prod.json'))).toBe(false);
    await issuer.resume();
  });

  it('the bearer token is used only without OIDC or with --admin, says so, and is no second try after a 401', async () => {
    const file = join(home.path, 'token');
    writeFileSync(file, 'static-token\n');
    home.user({ environments: { prod: { ...oidc().environments.prod, mcp_token_path: '~/token' } } });
    expect((await whoami()).code).toBe(3);
    expect(received).toEqual([]);
    const admin = await whoami({}, '--admin');
    expect(admin).toMatchObject({ code: 0, notes: [expect.stringMatching(/bearer token/)] });
    expect(received).toEqual(['Bearer static-token']);
    writeFileSync(file, 'refused');
    expect(await whoami({}, '--admin')).toMatchObject({
      code: 3,
      notes: [expect.anything(), `The token is not known here. Renew the token in ${file}.`],
    });
    expect(received).toHaveLength(2);
  });

  it('a server that does not answer is a failure, and no reason to log in', async () => {
    home.user({ environments: { prod: { mcp_endpoint: 'http://127.0.0.1:1/mcp' } } });
    expect((await whoami({ env: { TNTC_MCP_TOKEN: 'x' } })).code).toBe(1);
  });

  it.each([
    ['../../etc/passwd', '"../../etc/passwd" is no name'],
    ['nowhere', 'has no mcp_endpoint. Known: prod'],
  ])('an environment %s is refused as usage', async (name, message) => {
    home.user(oidc());
    const shown = await home.tntc(['whoami', '--env', name]);
    expect(shown.code).toBe(2);
    expect(shown.notes.join()).toContain(message);
  });

  it.each([
    ['an issuer', { oidc_issuer: 'http://id.example.com' }],
    ['a server', { mcp_endpoint: 'http://mcp.example.com/mcp' }],
  ])('%s elsewhere must be https before a login goes there', async (_what, place) => {
    home.user({ environments: { prod: { ...oidc().environments.prod, ...place } } });
    await loggedIn({ endpoint: 'http://mcp.example.com', issuer: issuer.issuer });
    for (const command of ['login', 'whoami']) {
      const shown = await home.tntc([command, '--env', 'prod'], { now: () => Date.now() - 1 });
      // A login that is stored for another issuer is not even looked at.
      if ('mcp_endpoint' in place || command === 'login') {
        expect(shown).toMatchObject({ code: 2, notes: [expect.stringContaining('is not https')] });
      }
    }
    expect(received).toEqual([]);
  });

  it('the static token goes there too, and that it can be read on the way is said', async () => {
    writeFileSync(join(home.path, 'token'), 'static-token');
    home.user({ environments: { prod: { mcp_endpoint: 'http://mcp.invalid/mcp', mcp_token_path: '~/token' } } });
    const notes = [expect.stringContaining('in the clear'), expect.stringContaining('does not answer')];
    expect(await whoami()).toMatchObject({ code: 1, notes });
    expect(await whoami({ env: { TNTC_MCP_TOKEN: 'given' } })).toMatchObject({ code: 1, notes });
  });

  it('a token out of the environment is told as such: it goes before the login', async () => {
    home.user(oidc());
    await loggedIn({ endpoint: origin(), issuer: issuer.issuer });
    const shown = await whoami({ env: { TNTC_MCP_TOKEN: 'given', TENTACULAR_ENV: '' } });
    expect(shown).toMatchObject({ code: 0, notes: ['Using the token of TNTC_MCP_TOKEN.'] });
    expect(received).toEqual(['Bearer given']);
  });

  // With both live values of a rotation in it, the error of the HTTP client would show them.
  it.each(['canary-one\ncanary-two', 'canary\u0000', 'canary two', 'canary\u2026'])(
    'a token that no header can carry is refused without being shown: %j',
    async (token) => {
      home.user(oidc());
      const shown = await whoami({ env: { TNTC_MCP_TOKEN: token } });
      expect(shown.code).toBe(3);
      expect(shown.notes.at(-1)).toContain('TNTC_MCP_TOKEN holds no token');
      expect(shown.notes.join()).not.toContain('canary');
    },
  );

  it.each(['eyJ-canary', '{"access_token":"canary', 'null', '[]', '{"place":{}}', ''])(
    'a token file that holds %j counts as no login, and is not shown',
    async (content) => {
      home.user(oidc());
      await loggedIn({ endpoint: origin(), issuer: issuer.issuer });
      writeFileSync(join(home.path, '.tentacular/tokens/prod.json'), content);
      expect(await whoami()).toMatchObject({ code: 3, notes: ['You are not logged in. Run: tntc login --env prod'] });
      expect(await home.tntc(['logout', '--env', 'prod'])).toMatchObject({ code: 0, notes: [] });
    },
  );

  it('logging out of another place than the one logged in to says that the session there goes on', async () => {
    home.user(oidc());
    await loggedIn({ endpoint: origin(), issuer: 'https://other.example.com' });
    expect(await home.tntc(['logout', '--env', 'prod'])).toMatchObject({
      code: 0,
      notes: [expect.stringContaining('https://other.example.com')],
    });
    expect(refreshes).toEqual([]);
  });
});
