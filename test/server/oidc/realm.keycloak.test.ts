import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import * as oauth from 'openid-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { importedResource } from '../../support/keycloak/keycloak.ts';
import { projectRoot } from '../../support/source-files.ts';
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

interface Realm {
  clientScopes: { name: string; protocol: string }[];
  clients: {
    clientId: string;
    redirectUris: string[];
    consentRequired: boolean;
    attributes: Record<string, string>;
    defaultClientScopes: string[];
    optionalClientScopes: string[];
  }[];
  defaultDefaultClientScopes: string[];
  defaultOptionalClientScopes: string[];
  users?: unknown;
}

describe('the realm as it is shipped', () => {
  const realm = JSON.parse(
    readFileSync(join(projectRoot, 'charts/tentacular-platform/files/realm.json'), 'utf8'),
  ) as Realm;
  let place: OidcPlace;
  beforeAll(async () => {
    place = await startPlace();
  });
  afterAll(() => place.close());

  it('puts the resource into the audience that its environment names at the import', () => {
    expect(inject('keycloakResource')).toBe(importedResource);
  });

  it('knows every scope that a realm of this Keycloak has by itself: a file that lists scopes replaces them', async () => {
    const listed = (await realmAs(clientId)).serverMetadata().scopes_supported ?? [];
    const shipped = realm.clientScopes.map(({ name }) => name);
    expect([...shipped, 'openid']).toEqual(expect.arrayContaining(listed));
    expect(shipped).toContain('basic');
  });

  // Harm: tokens that people give to any other program of the realm would be tokens for this server.
  it('gives the audience to the clients that it lists, and to none that is made later', () => {
    const later = [...realm.defaultDefaultClientScopes, ...realm.defaultOptionalClientScopes];
    expect(later).toContain('basic');
    expect(later).not.toContain('tentacular-audience');
  });

  it('holds every client that it lists to PKCE and loopback, and asks before it lets in one that is not ours', () => {
    expect(realm.clients.map((client) => client.clientId)).toEqual([
      clientId,
      'https://claude.ai/oauth/claude-code-client-metadata',
      'https://vscode.dev/oauth/client-metadata.json',
    ]);
    for (const client of realm.clients) {
      expect(client).toMatchObject({
        publicClient: true,
        directAccessGrantsEnabled: false,
        implicitFlowEnabled: false,
        serviceAccountsEnabled: false,
        fullScopeAllowed: false,
        consentRequired: client.clientId !== clientId,
        attributes: { 'pkce.code.challenge.method': 'S256' },
      });
      for (const uri of client.redirectUris) expect(uri).toMatch(/^http:\/\/(localhost|127\.0\.0\.1)\/[a-z]*$/);
    }
  });

  it('lets a client ask for every scope that its discovery lists, and answers no invalid_scope', async () => {
    const listed = (await realmAs(clientId)).serverMetadata().scopes_supported ?? [];
    expect(listed).toEqual(expect.arrayContaining(['openid', 'email', 'profile', 'offline_access']));
    for (const { clientId: id, defaultClientScopes, optionalClientScopes } of realm.clients) {
      const known = [...defaultClientScopes, ...optionalClientScopes, 'openid'];
      expect(known, id).toEqual(expect.arrayContaining(listed));
    }
    const tokens = await logIn((await newPerson('all-scopes')).visit, listed.join(' '));
    expect(await place.status(tokens.access_token)).toBe(200);
  });

  it('gives access tokens of 12 hours that carry sub and the audience, and no user of its own', async () => {
    const tokens = await logIn((await newPerson('lifetime')).visit);
    const claims = decodeJwt(tokens.access_token);
    expect(Number(claims.exp) - Number(claims.iat)).toBe(43_200);
    expect(claims).toMatchObject({ iss: issuer, azp: clientId, typ: 'Bearer', sub: expect.stringMatching(/.+/) });
    expect([claims.aud].flat()).toContain(place.harness.endpoint);
    expect(realm.users).toBeUndefined();
  });

  // Harm: what reads a token on its way, or this server taken over, changes the person's account at the issuer with it,
  // or the realm where he is its administrator.
  it('gives tokens that are for this server alone: none of the roles in them opens anything at the issuer', async () => {
    const { access_token } = await logIn((await newPerson('no-roles')).visit, 'openid roles offline_access');
    const claims = decodeJwt(access_token);
    expect([claims.aud].flat()).toEqual([place.harness.endpoint]);
    expect(claims.realm_access).toEqual({ roles: ['offline_access'] });
    expect(claims).not.toHaveProperty('resource_access');
    const headers = { accept: 'application/json', authorization: `Bearer ${access_token}` };
    expect((await fetch(`${issuer}/account`, { headers })).status).toBe(401);
  });

  it('wants PKCE with S256 from the public client', async () => {
    const config = await realmAs(clientId);
    for (const more of [{}, { code_challenge: 'x'.repeat(43), code_challenge_method: 'plain' }]) {
      const start = oauth.buildAuthorizationUrl(config, { redirect_uri: redirectUri, scope: 'openid', ...more });
      const { url } = await (await newPerson('no-pkce')).visit(start);
      expect(url.searchParams.get('error')).toBe('invalid_request');
    }
  });

  it.each([
    ['http://127.0.0.1:1/callback', true],
    ['http://localhost:65000/callback', true],
    ['http://127.0.0.1:1/callback/evil', false],
    ['http://127.0.0.1:1/', false],
    ['http://evil.example.com/callback', false],
    ['https://127.0.0.1/callback', false],
  ])('sends nobody anywhere but to the callback on loopback: %s %s', async (redirect_uri, allowed) => {
    const challenge = await oauth.calculatePKCECodeChallenge(oauth.randomPKCECodeVerifier());
    const start = oauth.buildAuthorizationUrl(await realmAs(clientId), {
      redirect_uri,
      scope: 'openid',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    expect((await fetch(start, { redirect: 'manual' })).status).toBe(allowed ? 200 : 400);
  });

  it('gives a service with the audience scope a token that is its own identity, and one without it none that counts', async () => {
    const ci = await realmAs('ci', await admin.addService('ci'));
    const accepted = await oauth.clientCredentialsGrant(ci);
    expect(await place.status(accepted.access_token)).toBe(200);
    const other = await realmAs('other', await admin.addService('other', { audience: false }));
    const refused = await oauth.clientCredentialsGrant(other);
    expect(await place.status(refused.access_token)).toBe(401);
  });

  it('a token that was issued before the audience was changed is for another resource', async () => {
    const { access_token } = await logIn((await newPerson('moved')).visit);
    expect(await place.status(access_token)).toBe(200);
    const moved = await startPlace();
    try {
      expect(await moved.status(access_token)).toBe(401);
      const again = await logIn((await newPerson('moved-again')).visit);
      expect(await moved.status(again.access_token)).toBe(200);
    } finally {
      await moved.close();
      await admin.setResource(place.harness.endpoint);
    }
  });
});
