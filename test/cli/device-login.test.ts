import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type Home, makeHome } from './home.ts';

type Answer = { readonly status: number; readonly body: object };
const pending: Answer = { status: 400, body: { error: 'authorization_pending' } };

describe('the device-code login', () => {
  let home: Home;
  let issuer: FakeIssuer;
  /** What the issuer says about the device code, and at each asking for the tokens; the last one goes on. */
  let device: object;
  let answers: (Answer | 'gone')[];
  let askedAt: number[];
  beforeEach(async () => {
    home = makeHome();
    issuer = await startFakeIssuer();
    askedAt = [];
    device = {};
    const page = `${issuer.issuer}/device`;
    answers = [{ status: 200, body: { token_type: 'bearer', access_token: await issuer.token(), expires_in: 60 } }];
    issuer.answer = (request, response) => {
      const place = (request.url ?? '').split('/').at(-1);
      const documents: Record<string, () => Answer | 'gone'> = {
        'openid-configuration': () => ({
          status: 200,
          body: {
            issuer: issuer.issuer,
            device_authorization_endpoint: page,
            token_endpoint: `${issuer.issuer}/token`,
          },
        }),
        device: () => ({
          status: 200,
          body: {
            device_code: 'd',
            user_code: 'ABCD-EFGH',
            verification_uri: page,
            expires_in: 60,
            interval: 1,
            ...device,
          },
        }),
        token: () => {
          askedAt.push(performance.now());
          return (answers.length > 1 ? answers.shift() : answers[0]) ?? pending;
        },
      };
      const answer = documents[place ?? '']?.() ?? { status: 404, body: {} };
      if (answer === 'gone') return void response.destroy();
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    };
    const prod = { mcp_endpoint: 'https://mcp.example.com/mcp', oidc_issuer: issuer.issuer };
    home.user({ environments: { prod } });
  });
  afterEach(async () => {
    await issuer.stop();
    home.remove();
  });
  const login = () => home.tntc(['login', '--env', 'prod']);
  const isLoggedIn = () => existsSync(join(home.path, '.tentacular/tokens/prod.json'));

  it('waits as long as the issuer says, and longer once it says slow_down', async () => {
    answers.unshift(pending, { status: 400, body: { error: 'slow_down' } });
    expect((await login()).code).toBe(0);
    const [first = 0, second = 0, third = 0] = askedAt;
    expect(second - first).toBeGreaterThan(900);
    expect(third - second).toBeGreaterThan(5900);
    expect(isLoggedIn()).toBe(true);
  });

  // Whoever confirms it on a telephone may carry the laptop to another network meanwhile.
  it('goes on where the network fails for a while, and asks less often from then on', async () => {
    answers.unshift('gone');
    expect((await login()).code).toBe(0);
    const [first = 0, second = 0] = askedAt;
    expect(second - first).toBeGreaterThan(1900);
    expect(isLoggedIn()).toBe(true);
  });

  it('ends when the code does, also where the network stays away', async () => {
    device = { expires_in: 3 };
    answers = ['gone'];
    expect(await login()).toMatchObject({
      code: 3,
      notes: [expect.anything(), expect.stringContaining('did not succeed')],
    });
    expect(askedAt.length).toBeLessThanOrEqual(2);
  });

  it.each([
    ['denied', 'access_denied'],
    ['too late', 'expired_token'],
  ])('that is %s is no login, and the next step is told', async (_what, error) => {
    answers = [{ status: 400, body: { error } }];
    expect(await login()).toMatchObject({
      code: 3,
      notes: [expect.anything(), `The login did not succeed: ${error}. Run tntc login again.`],
    });
    expect(isLoggedIn()).toBe(false);
  });

  it('ends when the code does, also where the issuer goes on to say that it waits', async () => {
    device = { expires_in: 3 };
    answers = [pending];
    expect((await login()).code).toBe(3);
    expect(askedAt.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ['an interval of next to nothing', { interval: 0.001, expires_in: 3 }, pending],
    [
      'a time to live beyond any timer',
      { expires_in: 1e12, interval: 1 },
      { status: 400, body: { error: 'access_denied' } },
    ],
  ])('does not follow an issuer into %s', async (_what, said, answer) => {
    device = said;
    answers = [answer];
    const shown = await login();
    expect(shown.code).toBe(3);
    expect(askedAt.length).toBeGreaterThan(0);
    expect(askedAt.length).toBeLessThanOrEqual(3);
  });

  it('shows nothing that steers the terminal: neither code, page nor error', async () => {
    const steering = '\u001b[2K\r\u202e\nAll is well';
    device = { user_code: `ABCD${steering}`, verification_uri: `https://id.example.com/${steering}` };
    answers = [{ status: 400, body: { error: 'access_denied', error_description: `No.${steering}` } }];
    const shown = await login();
    expect(shown.notes.join('\n')).toMatch(/ABCD.*No\./s);
    expect(shown.notes.join('\n')).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]|^All is well/mu);
  });

  it.each(['javascript:alert(1)', 'file:///etc/passwd', '-h'])('shows no %s to open', async (verification_uri) => {
    device = { verification_uri };
    const shown = await login();
    expect(shown.code).toBe(3);
    expect(shown.notes.join()).not.toContain(`Open ${verification_uri}`);
  });

  it('keeps no token that tells nothing of whom it is for', async () => {
    answers = [{ status: 200, body: { token_type: 'bearer', access_token: 'opaque' } }];
    expect(await login()).toMatchObject({ code: 1, notes: [expect.anything(), expect.stringContaining('no JWT')] });
    expect(isLoggedIn()).toBe(false);
  });
});
