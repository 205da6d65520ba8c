import { inject } from 'vitest';
import { discoveryOf } from '../../../server/auth/discovery.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { keycloakAdmin } from '../../support/keycloak/admin.ts';
import { createPerson } from '../../support/keycloak/browser.ts';
import { clientId, logInByCode, realmAs as realmAtIssuer, redirectUri } from '../../support/realm-login.ts';
import { type Harness, post, startHarness } from '../support/harness.ts';

export const keycloak = inject('keycloak');
export const admin = keycloakAdmin(keycloak);
export const issuer = `${keycloak.url}/realms/tentacular`;
export { clientId, redirectUri };

/** The server with the real issuer, which gives out tokens for it. */
export interface OidcPlace {
  readonly harness: Harness;
  /** Status of a call with that token. */
  status(token: string): Promise<number>;
  close(): Promise<void>;
}

export interface PlaceOptions {
  readonly refreshMs?: number;
  /** Default: all. */
  readonly allowedClients?: readonly string[];
  /** The server's time. Default: now. */
  readonly clock?: () => Date;
}

export async function startPlace({ allowedClients = [], ...options }: PlaceOptions = {}): Promise<OidcPlace> {
  let oidc: OidcAuthenticator | undefined;
  const harness = await startHarness({
    authentication: (url) => {
      oidc = createOidcAuthenticator({ issuer, audience: `${url}/mcp`, allowedClients, retryMs: 200, ...options });
      return { authenticator: oidc, discovery: discoveryOf(url, issuer) };
    },
  });
  await admin.setResource(harness.endpoint);
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
  return {
    harness,
    status: async (token) => (await post(harness.endpoint, ping, { authorization: `Bearer ${token}` })).status,
    async close() {
      await harness.close();
      await oidc?.close();
    },
  };
}

/** A user of the realm, new with each call, and that person's browser. */
export async function newPerson(name: string, { emailVerified = true } = {}) {
  const username = `${name}-${Date.now().toString(36)}`;
  const password = `pw-${username}`;
  await admin.addUser({ name: username, password, emailVerified });
  return { username, password, email: `${username}@example.com`, visit: createPerson({ username, password }) };
}

/** The shipped public client, or a service with its secret, as openid-client sees this realm. */
export function realmAs(client: string, secret?: string) {
  return realmAtIssuer(issuer, client, secret);
}

/** Authorization code + PKCE through Keycloak's login page. */
export function logIn(visit: ReturnType<typeof createPerson>, scope?: string) {
  return logInByCode(issuer, visit, scope);
}
