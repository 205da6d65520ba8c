import { Client, type OAuthClientProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { helloWorkflow } from '../../support/workflows.ts';
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

describe('logging in at a real Keycloak', () => {
  let place: OidcPlace;
  beforeAll(async () => {
    place = await startPlace();
  });
  afterAll(() => place.close());

  it('by device code: asked for on a terminal, allowed on Keycloak pages, pending until then', async () => {
    const person = await newPerson('device');
    const realm = await realmAs(clientId);
    const verifier = oauth.randomPKCECodeVerifier();
    const device = await oauth.initiateDeviceAuthorization(realm, {
      scope: 'openid email profile',
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const waiting = oauth.pollDeviceAuthorizationGrant(realm, device, { code_verifier: verifier });
    const { page } = await person.visit(device.verification_uri_complete ?? device.verification_uri);
    expect(page).toContain('Device Login Successful');
    const tokens = await waiting;
    expect(await place.status(tokens.access_token)).toBe(200);
    // Only the access token is a way in.
    expect(await place.status(tokens.id_token ?? '')).toBe(401);
    expect(await place.status(tokens.refresh_token ?? '')).toBe(401);
  });

  it('by authorization code with PKCE; refreshed; and nothing is refreshed any more after logout', async () => {
    const tokens = await logIn((await newPerson('code')).visit);
    expect(await place.status(tokens.access_token)).toBe(200);
    const realm = await realmAs(clientId);
    const refreshed = await oauth.refreshTokenGrant(realm, tokens.refresh_token ?? '');
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(await place.status(refreshed.access_token)).toBe(200);
    await oauth.tokenRevocation(realm, refreshed.refresh_token ?? '');
    await expect(oauth.refreshTokenGrant(realm, refreshed.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('an administrator who ends the sessions of somebody ends the refreshing too', async () => {
    const person = await newPerson('leaver');
    const tokens = await logIn(person.visit);
    await admin.endSessions(person.username);
    const refreshed = oauth.refreshTokenGrant(await realmAs(clientId), tokens.refresh_token ?? '');
    await expect(refreshed).rejects.toMatchObject({ error: 'invalid_grant' });
  });

  it('by the OAuth support of the official MCP client, which knows only the URL: from the first 401 to a result', async () => {
    const person = await newPerson('claude');
    const provider = mcpProvider();
    const requests: string[] = [];
    const watched: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      requests.push(`${response.status} ${new URL(input instanceof Request ? input.url : input).pathname}`);
      return response;
    };
    const connect = async () => {
      const transport = new StreamableHTTPClientTransport(new URL(place.harness.endpoint), {
        authProvider: provider,
        fetch: watched,
      });
      const client = new Client({ name: 'first-contact', version: '1.0.0' });
      return { transport, client, connected: client.connect(transport) };
    };

    const first = await connect();
    await expect(first.connected).rejects.toThrow(/[Uu]nauthorized/);
    expect(requests).toContain('401 /mcp');
    expect(requests).toContain('200 /.well-known/oauth-protected-resource/mcp');
    const asked = provider.sentTo();
    expect(asked.searchParams.get('resource')).toBe(place.harness.endpoint);
    const scopes = asked.searchParams.get('scope')?.split(' ');
    expect(scopes).toEqual(expect.arrayContaining(['openid', 'email', 'profile']));

    const { url } = await person.visit(asked);
    expect(url.searchParams.get('error')).toBeNull();
    await first.transport.finishAuth(url.searchParams);
    const second = await connect();
    await second.connected;
    place.harness.audit.length = 0;
    const result = await second.client.callTool({
      name: 'wf_render',
      arguments: { enclave: 'team-a', ...helloWorkflow('hello') },
    });
    expect(result).not.toHaveProperty('isError', true);
    expect(place.harness.audit).toMatchObject([
      { principal: person.email, principal_kind: 'oidc', tool: 'wf_render', outcome: 'ok' },
    ]);
    await second.client.close();
  });

  it('writes no token into log or audit record', () => {
    expect([...place.harness.logs, JSON.stringify(place.harness.audit)].join('')).not.toMatch(/eyJ/);
  });
});

/** What a person who sets up a client gives it: the name of the public client, and where to come back to. */
function mcpProvider(): OAuthClientProvider & { sentTo(): URL } {
  let verifier = '';
  let sent: URL | undefined;
  let tokens: Awaited<ReturnType<OAuthClientProvider['tokens']>>;
  return {
    redirectUrl: redirectUri,
    clientMetadata: {
      redirect_uris: [redirectUri],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => ({ client_id: clientId, issuer }),
    tokens: () => tokens,
    saveTokens: (saved) => {
      tokens = saved;
    },
    redirectToAuthorization: (url) => {
      sent = url;
    },
    saveCodeVerifier: (saved) => {
      verifier = saved;
    },
    codeVerifier: () => verifier,
    sentTo() {
      if (sent === undefined) throw new Error('nobody was sent to log in');
      return sent;
    },
  };
}
