import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Home, makeHome, type Shown } from '../../cli/home.ts';
import { post } from '../support/harness.ts';
import {
  admin,
  clientId,
  issuer,
  logIn,
  newPerson,
  type OidcPlace,
  realmAs,
  redirectUri,
  startPlace,
} from './place.ts';
import { expectDocumented } from './troubleshooting-table.ts';

type Person = Awaited<ReturnType<typeof newPerson>>;

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

/** Rows of docs/authentication.md that only a real Keycloak can tell. */
describe('whom a real Keycloak, or tntc with one, tells', () => {
  let place: OidcPlace;
  let home: Home;
  beforeAll(async () => {
    place = await startPlace();
    home = makeHome();
    home.user({ environments: { prod: { mcp_endpoint: place.harness.endpoint, oidc_issuer: issuer } } });
  });
  afterAll(async () => {
    home.remove();
    await place.close();
  });

  async function refusalOf(token: string): Promise<string> {
    const response = await post(place.harness.endpoint, ping, { authorization: `Bearer ${token}` });
    expect(response.status).toBe(401);
    return ((await response.json()) as { error_description: string }).error_description;
  }

  /** Where Keycloak sends somebody who asks with these parameters, and what its page says if it does not. */
  async function ask(parameters: Record<string, string>, visit: Person['visit']) {
    const verifier = oauth.randomPKCECodeVerifier();
    const { url, page } = await visit(
      oauth.buildAuthorizationUrl(await realmAs(clientId), {
        redirect_uri: redirectUri,
        scope: 'openid',
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...parameters,
      }),
    );
    const [error, why] = ['error', 'error_description'].map((key) => url.searchParams.get(key));
    return { url, page, message: error === null ? undefined : `${error}: ${why}` };
  }

  /** `tntc login`, by somebody who opens the address that it prints. */
  async function tntcLogin(person: Person): Promise<Shown> {
    let visited: Promise<unknown> = Promise.resolve();
    const note = (text: string) => {
      const url = /https?:\S+/.exec(text)?.[0];
      if (url) visited = person.visit(url);
    };
    const shown = await home.tntc(['login', '--env', 'prod'], { note });
    await visited;
    return shown;
  }
  const whoami = () => home.tntc(['whoami', '--env', 'prod', '-o', 'json']);

  it('of an invalid_scope gives the client that scope', async () => {
    const { visit } = await newPerson('scope');
    const scope = 'openid tentacles:destroy';
    const { message = '' } = await ask({ scope }, visit);
    expect(message).toMatch(/^invalid_scope: /);
    expectDocumented(message);
    await admin.addScope(clientId, 'tentacles:destroy');
    const tokens = await logIn(visit, scope);
    expect(tokens.scope?.split(' ')).toContain('tentacles:destroy');
    expect(await place.status(tokens.access_token)).toBe(200);
  });

  it('that a service is not meant for this server gives its client the audience', async () => {
    const service = await realmAs('nightly', await admin.addService('nightly', { audience: false }));
    expectDocumented(await refusalOf((await oauth.clientCredentialsGrant(service)).access_token));
    await admin.giveAudience('nightly');
    expect(await place.status((await oauth.clientCredentialsGrant(service)).access_token)).toBe(200);
  });

  it('that an ID token is not meant for this server, or a refresh token not signed, sends the access token', async () => {
    const tokens = await logIn((await newPerson('which')).visit);
    expectDocumented(await refusalOf(tokens.id_token ?? ''));
    expectDocumented(await refusalOf(tokens.refresh_token ?? ''));
    expect(await place.status(tokens.access_token)).toBe(200);
  });

  it('of a redirect URI comes back to /callback on loopback, or has its own registered', async () => {
    const { visit } = await newPerson('redirect');
    const own = { redirect_uri: 'http://127.0.0.1:53682/oauth/done' };
    const refused = await ask(own, visit);
    expectDocumented(/Invalid parameter: redirect_uri/.exec(refused.page)?.[0] ?? refused.page);
    const code = async (parameters: Record<string, string>) =>
      (await ask(parameters, visit)).url.searchParams.get('code');
    expect(await code({})).not.toBeNull();
    await admin.addRedirectUri(clientId, 'http://127.0.0.1/oauth/done');
    expect(await code(own)).not.toBeNull();
  });

  it('that the client is not found, or may not register, gives it the id of the shipped one', async () => {
    const { visit } = await newPerson('stranger');
    const stranger = await ask({ client_id: 'https://stranger.example.com/client.json' }, visit);
    expectDocumented(/Client not found\./.exec(stranger.page)?.[0] ?? stranger.page);
    const registration = await fetch(`${issuer}/clients-registrations/openid-connect`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }),
    });
    expect(registration.status).toBe(403);
    expectDocumented(((await registration.json()) as { error_description: string }).error_description);
    const { url } = await ask({ client_id: clientId }, visit);
    expect(url.searchParams.get('code')).not.toBeNull();
  });

  it('that PKCE is missing sends a challenge with S256', async () => {
    const { visit } = await newPerson('pkce');
    const start = oauth.buildAuthorizationUrl(await realmAs(clientId), { redirect_uri: redirectUri, scope: 'openid' });
    const { url } = await visit(start);
    expectDocumented(`${url.searchParams.get('error')}: ${url.searchParams.get('error_description')}`);
    expect((await ask({}, visit)).url.searchParams.get('code')).not.toBeNull();
  });

  it('that an address is not verified has it verified and logs in again', async () => {
    const person = await newPerson('unproven', { emailVerified: false });
    expect((await tntcLogin(person)).code).toBe(0);
    const [note = ''] = (await whoami()).notes;
    expectDocumented(note);
    await admin.verifyEmail(person.username);
    expect((await tntcLogin(person)).code).toBe(0);
    const after = await whoami();
    expect(after.notes).toEqual([]);
    expect(JSON.parse(after.out)).toMatchObject({ email: person.email, email_verified: true });
  });

  it('that he is not logged in, since the session is over, logs in again', async () => {
    const person = await newPerson('expired');
    await tntcLogin(person);
    await admin.endSessions(person.username);
    // The access token has run out; there is nothing to renew it from.
    const later = { now: () => Date.now() + 25 * 3_600_000 };
    const over = await home.tntc(['whoami', '--env', 'prod'], later);
    expect(over).toMatchObject({ code: 3, out: '' });
    expectDocumented(over.notes[0] ?? '');
    expect((await tntcLogin(person)).code).toBe(0);
    expect(JSON.parse((await whoami()).out)).toMatchObject({ email: person.email });
  });
});
