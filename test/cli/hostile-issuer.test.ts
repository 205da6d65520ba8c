import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { type Home, makeHome, pong } from './home.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const json =
  (body: object, status = 200): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

describe('what an issuer answers', () => {
  let home: Home;
  let issuer: FakeIssuer;
  let server: LoopbackServer;
  /** Authorization headers that reached the server. */
  let received: (string | undefined)[];
  /** By the last part of the path. */
  let answers: Record<string, Answer>;
  beforeEach(async () => {
    home = makeHome();
    received = [];
    issuer = await startFakeIssuer();
    server = await startLoopbackServer((request, response) => {
      received.push(request.headers.authorization);
      response.end(pong);
    });
    answers = {
      'openid-configuration': json(metadata()),
      device: json({ device_code: 'd', user_code: 'A', verification_uri: issuer.issuer, expires_in: 60, interval: 1 }),
      token: json({ token_type: 'bearer', access_token: await issuer.token(), expires_in: 60 }),
    };
    issuer.answer = (request, response) =>
      (answers[request.url?.split('/').at(-1) ?? ''] ?? json({}, 404))(request, response);
    home.user({ environments: { prod: { mcp_endpoint: `${server.origin}/mcp`, oidc_issuer: issuer.issuer } } });
  });
  afterEach(async () => {
    await server.close();
    await issuer.stop();
    home.remove();
  });
  const metadata = () => ({
    issuer: issuer.issuer,
    device_authorization_endpoint: `${issuer.issuer}/device`,
    token_endpoint: `${issuer.issuer}/token`,
    revocation_endpoint: `${issuer.issuer}/revoke`,
  });
  const tokenFile = () => join(home.path, '.tentacular/tokens/prod.json');
  async function loggedIn(more: object) {
    const place = { endpoint: server.origin, issuer: issuer.issuer };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    const tokens = { place, access_token: await issuer.token(), expires_at: 0, ...more };
    writeFileSync(tokenFile(), JSON.stringify(tokens));
  }
  const tntc = (command: string, more?: Parameters<Home['tntc']>[1]) => home.tntc([command, '--env', 'prod'], more);

  it.each([
    ['login', 'openid-configuration'],
    ['login', 'device'],
    ['login', 'token'],
    ['whoami', 'token'],
  ])('without an end is given up: %s, %s', async (command, place) => {
    await loggedIn({ refresh_token: 'refresh' });
    let sent = 0;
    answers[place] = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += 65_536;
          if (!response.write('x'.repeat(65_536))) return void response.once('drain', more);
        }
      };
      more();
    };
    const shown = await tntc(command);
    expect(shown.code).not.toBe(0);
    expect(shown.notes.at(-1)).toContain('sends more than');
    expect(sent).toBeLessThan(50_000_000);
  });

  it.each([
    ['login', 'device_authorization_endpoint'],
    ['login', 'token_endpoint'],
    ['whoami', 'token_endpoint'],
    ['logout', 'revocation_endpoint'],
  ])('sends no login elsewhere in the clear, also from this machine: %s, %s', async (command, key) => {
    await loggedIn({ refresh_token: 'refresh' });
    answers['openid-configuration'] = json({ ...metadata(), [key]: 'http://id.invalid/token' });
    const shown = await tntc(command);
    expect(shown.code).not.toBe(0);
    expect(shown.notes.at(-1)).toContain('http://id.invalid/token is not https');
  });

  it('with a redirect takes no refresh token elsewhere', async () => {
    await loggedIn({ refresh_token: 'refresh' });
    for (const place of ['token', 'openid-configuration']) {
      answers[place] = (_request, response) => response.writeHead(307, { location: `${server.origin}/token` }).end();
      expect(await tntc('whoami')).toMatchObject({ code: 1, notes: [expect.stringContaining('status 307')] });
    }
    expect(received).toEqual([]);
  });

  it('that it is another issuer is not believed', async () => {
    answers['openid-configuration'] = json({ ...metadata(), issuer: 'https://id.example.com' });
    expect(await tntc('login')).toMatchObject({ code: 1, notes: [expect.stringContaining('issuer does not match')] });
  });

  it('that there is nothing is told as such: the address is wrong', async () => {
    answers['openid-configuration'] = json({ error: 'Realm does not exist' }, 404);
    expect(await tntc('login')).toMatchObject({ code: 1, notes: [expect.stringContaining('status 404')] });
  });

  it('without a refresh token is a login until it expires, and then none', async () => {
    expect((await tntc('login')).code).toBe(0);
    expect(readFileSync(tokenFile(), 'utf8')).not.toContain('refresh_token');
    expect((await tntc('whoami', { now: () => Date.now() - 30_000 })).code).toBe(0);
    expect(await tntc('whoami')).toMatchObject({
      code: 3,
      notes: ['You are not logged in. Run: tntc login --env prod'],
    });
    expect(received).toHaveLength(1);
  });

  // The error of the HTTP client would show it.
  it.each(['\n', '\u2026', ' x'])('with a token that no header can carry (%j) is no login', async (tail) => {
    const access_token = `${await issuer.token()}${tail}canary`;
    answers.token = json({ token_type: 'bearer', access_token, expires_in: 3600 });
    const login = await tntc('login');
    const whoami = await tntc('whoami');
    expect([login.code, whoami.code]).toEqual([3, 3]);
    expect(`${login.notes.join()}${whoami.notes.join()}`).not.toContain('canary');
    expect(existsSync(tokenFile())).toBe(false);
    await loggedIn({ access_token, expires_at: Date.now() + 3_600_000 });
    const shown = await tntc('whoami');
    expect(shown.code).toBe(3);
    expect(shown.notes.join()).not.toContain('canary');
  });
});
