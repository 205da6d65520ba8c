import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../constructs/model/json.ts';
import { claudeCode, clientMemory, generations, introduce } from './official-client.ts';
import { admin, clientId, issuer, newPerson, type OidcPlace, redirectUri, startPlace } from './place.ts';

const endpoint = (name: string) => `${issuer}/protocol/openid-connect/${name}`;
const challenge = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' };

/** What Keycloak answers when a browser arrives with that request: the page's status, or the error that it is sent back with. */
async function authorize(parameters: Record<string, string>) {
  const url = new URL(endpoint('auth'));
  url.search = new URLSearchParams({
    client_id: claudeCode,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid',
    ...challenge,
    ...parameters,
  }).toString();
  const response = await fetch(url, { redirect: 'manual' });
  const location = response.headers.get('location');
  return {
    status: response.status,
    error: location ? new URL(location).searchParams.get('error') : null,
    page: await response.text(),
  };
}

async function askForToken(form: Record<string, string>): Promise<JsonObject> {
  const answer: unknown = await (
    await fetch(endpoint('token'), { method: 'POST', body: new URLSearchParams(form) })
  ).json();
  if (!isJsonObject(answer)) throw new Error('the token endpoint answers no object');
  return answer;
}

function register(body: JsonObject | string, provider = 'openid-connect'): Promise<Response> {
  const [type, text] =
    typeof body === 'string' ? ['application/xml', body] : ['application/json', JSON.stringify(body)];
  return fetch(`${issuer}/clients-registrations/${provider}`, {
    method: 'POST',
    headers: { 'content-type': type },
    body: text,
  });
}

/** A service provider of SAML, as complete as Keycloak wants it. */
const samlClient = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="stranger">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <AssertionConsumerService index="0" Location="http://127.0.0.1/acs"
      Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"/>
  </SPSSODescriptor>
</EntityDescriptor>`;

describe('a client that presents the address of a metadata document', () => {
  it('is let in where the realm lists that address', async () => {
    expect(await authorize({})).toMatchObject({ status: 200 });
    const vsCode = { client_id: 'https://vscode.dev/oauth/client-metadata.json' };
    expect(await authorize({ ...vsCode, redirect_uri: 'http://127.0.0.1:33418/' })).toMatchObject({ status: 200 });
  });

  // Harm: whoever writes a document makes a client of this realm; and Keycloak fetches any address for anybody.
  describe('that the realm does not list', () => {
    let server: Server;
    let origin: string;
    let fetched = 0;
    beforeAll(async () => {
      server = createServer((request, response) => {
        fetched += 1;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ client_id: `${origin}${request.url}`, redirect_uris: [redirectUri] }));
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => server.close());

    it.each([
      ['https://claude.ai/oauth/another-client'],
      ['https://claude.ai/oauth/claude-code-client-metadata/'],
      ['https://claude.ai:443/oauth/claude-code-client-metadata'],
      ['https://claude.ai/oauth/claude-code-client-metadata?'],
      ['https://evil.example.com/oauth/claude-code-client-metadata'],
    ])('is refused: %s', async (client_id) => {
      const { status, page } = await authorize({ client_id });
      expect(status).toBe(400);
      expect(page).toContain('Client not found');
    });

    it('is refused, and its document is never fetched', async () => {
      expect(await authorize({ client_id: `${origin}/client.json` })).toMatchObject({ status: 400 });
      expect(await askForToken({ grant_type: 'client_credentials', client_id: `${origin}/client.json` })).toMatchObject(
        { error: 'invalid_client' },
      );
      expect(fetched).toBe(0);
    });
  });

  it.each([
    ['http://localhost:50000/callback', 200],
    ['http://127.0.0.1:50000/callback', 200],
    ['http://127.0.0.1:50000/other', 400],
    ['http://evil.example.com/callback', 400],
    ['https://claude.ai/callback', 400],
    ['http://127.0.0.1.evil.example.com/callback', 400],
    ['http://127.0.0.1@evil.example.com/callback', 400],
  ])('comes back to loopback and nowhere else: %s', async (redirect_uri, status) => {
    expect(await authorize({ redirect_uri })).toMatchObject({ status });
  });

  it('cannot leave PKCE out, nor weaken it', async () => {
    const withoutPkce = { code_challenge: '', code_challenge_method: '' };
    expect(await authorize(withoutPkce)).toMatchObject({ error: 'invalid_request' });
    expect(await authorize({ code_challenge_method: 'plain' })).toMatchObject({ error: 'invalid_request' });
  });

  it('gets no token without a person in a browser', async () => {
    const { username, password } = await newPerson('grants');
    for (const form of [
      { grant_type: 'client_credentials' },
      { grant_type: 'password', username, password },
      { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: 'x' },
    ]) {
      const answer = await askForToken({ client_id: claudeCode, scope: 'openid', ...form });
      expect(answer, form.grant_type).not.toHaveProperty('access_token');
      expect(answer.error, form.grant_type).toMatch(/^(unauthorized_client|invalid_client|invalid_request)$/);
    }
    const body = new URLSearchParams({ client_id: claudeCode, ...challenge });
    const device = await fetch(endpoint('auth/device'), { method: 'POST', body });
    expect(await device.json()).toMatchObject({ error: 'unauthorized_client' });
  });

  it('is refused with 401 by a server that lists the clients that it takes', async () => {
    const place = await startPlace({ allowedClients: [clientId] });
    const memory = clientMemory({ clientMetadataUrl: claudeCode });
    await introduce('SDK 2', place.harness.endpoint, { memory, visit: (await newPerson('barred')).visit });
    expect(await place.status(memory.accessToken())).toBe(401);
    await place.close();
  });

  // Harm: the official client asks for offline access by itself, and would stay for as long as it comes back once a month.
  it('stays logged in no longer than a browser does: 24 hours, although it asks for offline access', async () => {
    const place = await startPlace();
    const memory = clientMemory({ clientMetadataUrl: claudeCode });
    await introduce('SDK 2', place.harness.endpoint, { memory, visit: (await newPerson('offline')).visit });
    const { typ, iat = 0, exp = Number.POSITIVE_INFINITY } = decodeJwt(memory.refreshToken());
    expect(typ).toBe('Offline');
    expect(exp - iat).toBeLessThanOrEqual(86_400);
    await place.close();
  });
});

describe('a client that registers itself', () => {
  let place: OidcPlace;
  beforeAll(async () => {
    place = await startPlace();
  });
  afterAll(() => place.close());

  const metadata = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' };

  it.each([
    ['openid-connect', metadata],
    ['default', { clientId: 'stranger', redirectUris: [redirectUri] }],
    ['saml2-entity-descriptor', samlClient],
  ])('is refused: %s', async (provider, body) => {
    const response = await register(body, provider);
    expect(response.status).toBe(403);
    expect(await response.text()).toContain("Policy 'Trusted Hosts' rejected");
  });

  it.each([
    ['SDK 2', /Dynamic Client Registration rejected \(HTTP 403\)/],
    ['SDK 1', /rejected request to client-registration service/],
  ] as const)(
    'that is the official client (%s) without an id, ends with a message that says so',
    async (generation, message) => {
      const { connected } = generations[generation](place.harness.endpoint, clientMemory({}));
      await expect(connected).rejects.toThrow(message);
    },
  );

  // Harm: with registration opened by mistake, programs would get in without any person.
  it('by somebody’s mistake has no audience: what it gets is no token for this server', async () => {
    await admin.withOpenRegistration(async () => {
      const service = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_post' };
      expect((await register({ ...service, scope: 'tentacular-audience' })).status).toBe(403);
      const registered: unknown = await (await register({ ...service, redirect_uris: [redirectUri] })).json();
      if (!isJsonObject(registered)) throw new Error('no registration');
      const { client_id, client_secret } = registered;
      const form = { client_id: String(client_id), client_secret: String(client_secret) };
      const { access_token } = await askForToken({ grant_type: 'client_credentials', ...form });
      expect(access_token).toMatch(/^eyJ/);
      expect(await place.status(String(access_token))).toBe(401);
      const asking = await askForToken({ grant_type: 'client_credentials', ...form, scope: 'tentacular-audience' });
      expect(asking).toMatchObject({ error: 'invalid_scope' });
    });
    expect((await register(metadata)).status).toBe(403);
  });
});
