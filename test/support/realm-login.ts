import * as oauth from 'openid-client';
import type { createPerson } from './keycloak/browser.ts';

type Visit = ReturnType<typeof createPerson>;

/** The public client of the shipped realm, and where it comes back to, as Claude Code and the command line do. */
export const clientId = 'tentacular-mcp';
export const redirectUri = 'http://127.0.0.1:53682/callback';
const usualScope = 'openid email profile';

/** A public client, or a service with its secret, as openid-client sees the realm. `issuer` may be plain http. */
export function realmAs(issuer: string, client: string, secret?: string): Promise<oauth.Configuration> {
  const authentication = secret === undefined ? oauth.None() : oauth.ClientSecretPost(secret);
  const options = { execute: [oauth.allowInsecureRequests] };
  return oauth.discovery(new URL(issuer), client, undefined, authentication, options);
}

/** Authorization code + PKCE through the issuer's login page. */
export async function logInByCode(issuer: string, visit: Visit, scope = usualScope) {
  const realm = await realmAs(issuer, clientId);
  const verifier = oauth.randomPKCECodeVerifier();
  const state = oauth.randomState();
  const start = oauth.buildAuthorizationUrl(realm, {
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  const { url } = await visit(start);
  return oauth.authorizationCodeGrant(realm, url, { pkceCodeVerifier: verifier, expectedState: state });
}

/** Device grant: asked for on a terminal, allowed in a browser. Takes the issuer's interval of polling. */
export async function logInByDevice(issuer: string, visit: Visit) {
  const realm = await realmAs(issuer, clientId);
  const verifier = oauth.randomPKCECodeVerifier();
  const device = await oauth.initiateDeviceAuthorization(realm, {
    scope: usualScope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  });
  await visit(device.verification_uri_complete ?? device.verification_uri);
  return oauth.pollDeviceAuthorizationGrant(realm, device, { code_verifier: verifier });
}
