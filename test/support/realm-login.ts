import * as oauth from 'openid-client';
import type { createPerson } from './keycloak/browser.ts';

type Visit = ReturnType<typeof createPerson>;

/** The public client of the shipped realm, and where it comes back to. */
const publicClient = 'tentacular-mcp';
const redirectUri = 'http://127.0.0.1:53682/callback';
const scope = 'openid email profile';

/** The ways to an access token of one issuer, as people and services go them. */
export interface RealmLogin {
  /** Authorization code + PKCE through the issuer's login page. */
  byCode(visit: Visit): Promise<string>;
  /** Device grant: asked for on a terminal, allowed in a browser. Takes the issuer's interval of polling. */
  byDevice(visit: Visit): Promise<string>;
  /** Client credentials. */
  asService(client: string, secret: string): Promise<string>;
}

/** `issuer` may be plain http: it is one of the test's own. */
export async function realmLogin(issuer: string): Promise<RealmLogin> {
  const options = { execute: [oauth.allowInsecureRequests] };
  const realm = await oauth.discovery(new URL(issuer), publicClient, undefined, oauth.None(), options);
  return {
    async byCode(visit) {
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
      const checks = { pkceCodeVerifier: verifier, expectedState: state };
      return (await oauth.authorizationCodeGrant(realm, url, checks)).access_token;
    },
    async byDevice(visit) {
      const verifier = oauth.randomPKCECodeVerifier();
      const device = await oauth.initiateDeviceAuthorization(realm, {
        scope,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      await visit(device.verification_uri_complete ?? device.verification_uri);
      return (await oauth.pollDeviceAuthorizationGrant(realm, device, { code_verifier: verifier })).access_token;
    },
    async asService(client, secret) {
      const authentication = oauth.ClientSecretPost(secret);
      const service = await oauth.discovery(new URL(issuer), client, undefined, authentication, options);
      return (await oauth.clientCredentialsGrant(service)).access_token;
    },
  };
}
