import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { clientMemory, generations, introduce } from './official-client.ts';
import { admin, clientId, issuer, logIn, newPerson, type OidcPlace, realmAs, startPlace } from './place.ts';

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

  // Harm: whoever has left keeps coming back, because his client asked for offline access.
  it('also where the client has offline access', async () => {
    const person = await newPerson('leaver');
    const tokens = await logIn(person.visit, 'openid email profile offline_access');
    const realm = await realmAs(clientId);
    // Keycloak refuses what is older than the end, counted in whole seconds.
    const isOver = async () => {
      await admin.endSessions(person.username);
      return oauth.refreshTokenGrant(realm, tokens.refresh_token ?? '').then(
        () => false,
        (error: unknown) => error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant',
      );
    };
    await eventually('nothing is refreshed any more', isOver, { timeoutMs: 30_000 });
  });

  it('by the official MCP client, to which a person gave the client id: `tentacular-mcp`', async () => {
    const person = await newPerson('claude');
    const memory = clientMemory({ given: { clientId, issuer } });
    await introduce('SDK 2', place.harness.endpoint, { memory, visit: person.visit });
    expect(memory.sentTo().searchParams.get('client_id')).toBe(clientId);
    expect(memory.sentTo().searchParams.get('resource')).toBe(place.harness.endpoint);
    const client = generations['SDK 2'](place.harness.endpoint, memory);
    await client.connected;
    place.harness.audit.length = 0;
    const result = await client.callTool('wf_render', { enclave: 'team-a', ...helloWorkflow('hello') });
    expect(result).not.toHaveProperty('isError', true);
    expect(place.harness.audit).toMatchObject([
      { principal: person.email, principal_kind: 'oidc', tool: 'wf_render', outcome: 'ok' },
    ]);
    await client.close();
  });

  it('writes no token into log or audit record', () => {
    expect([...place.harness.logs, JSON.stringify(place.harness.audit)].join('')).not.toMatch(/eyJ/);
  });
});
