import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { admin, issuer, newPerson, type OidcPlace, startPlace } from '../server/oidc/place.ts';
import { type Home, makeHome } from './home.ts';

type Person = Awaited<ReturnType<typeof newPerson>>;

describe('tntc with a real Keycloak', () => {
  let place: OidcPlace;
  let home: Home;
  beforeEach(async () => {
    place = await startPlace();
    home = makeHome();
    home.user({ environments: { prod: { mcp_endpoint: place.harness.endpoint, oidc_issuer: issuer } } });
  });
  afterEach(async () => {
    home.remove();
    await place.close();
  });

  /** Logs in as somebody who opens the address that the command prints. */
  async function logIn(person: Person) {
    let visited: Promise<unknown> = Promise.resolve();
    const notes: string[] = [];
    const note = (text: string) => {
      notes.push(text);
      const url = /https?:\S+/.exec(text)?.[0];
      if (url) visited = person.visit(url);
    };
    const shown = await home.tntc(['login', '--env', 'prod'], { note });
    await visited;
    return { ...shown, notes };
  }
  const tokenFile = () => join(home.path, '.tentacular/tokens/prod.json');

  it('login shows address and code, keeps the tokens for the user alone; whoami is who the server sees; logout ends it', async () => {
    const person = await newPerson('cli');
    const login = await logIn(person);
    expect(login).toMatchObject({ code: 0, notes: [expect.stringMatching(/confirm the code [A-Z]{4}-[A-Z]{4}/)] });
    expect(statSync(tokenFile()).mode & 0o777).toBe(0o600);

    const whoami = await home.tntc(['whoami', '--env', 'prod', '-o', 'json']);
    expect(whoami).toMatchObject({ code: 0, notes: [] });
    expect(JSON.parse(whoami.out)).toMatchObject({
      environment: 'prod',
      kind: 'oidc',
      email: person.email,
      email_verified: true,
      client: 'tentacular-mcp',
      issuer,
    });
    expect(`${login.out}${whoami.out}`).not.toContain('eyJ');

    const { refresh_token } = JSON.parse(readFileSync(tokenFile(), 'utf8')) as { refresh_token: string };
    expect((await home.tntc(['logout', '--env', 'prod'])).code).toBe(0);
    expect(() => statSync(tokenFile())).toThrow();
    const form = { grant_type: 'refresh_token', client_id: 'tentacular-mcp', refresh_token };
    const again = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    expect(again.status).toBe(400);
    expect(await home.tntc(['whoami', '--env', 'prod'])).toMatchObject({
      code: 3,
      notes: ['You are not logged in. Run: tntc login --env prod'],
    });
  });

  it('whoami says when an e-mail is not verified, because rights of members then fail', async () => {
    await logIn(await newPerson('unverified', { emailVerified: false }));
    const shown = await home.tntc(['whoami', '--env', 'prod', '-o', 'json']);
    expect(JSON.parse(shown.out)).toMatchObject({ email_verified: false });
    expect(shown.notes.join()).toMatch(/is not verified: rights of enclave members do not count/);
  });

  it('a token that is about to expire is renewed first; when the session is over, the way back is told', async () => {
    const person = await newPerson('renewed');
    await logIn(person);
    const before = readFileSync(tokenFile(), 'utf8');
    const later = { now: () => Date.now() + 12 * 3_600_000 };
    expect((await home.tntc(['whoami', '--env', 'prod'], later)).code).toBe(0);
    expect(readFileSync(tokenFile(), 'utf8')).not.toBe(before);
    await admin.endSessions(person.username);
    const wayBack = { code: 3, notes: ['You are not logged in. Run: tntc login --env prod'] };
    expect(await home.tntc(['whoami', '--env', 'prod'], { now: () => Date.now() + 25 * 3_600_000 })).toMatchObject(
      wayBack,
    );
  });
});
