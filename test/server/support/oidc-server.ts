import { afterAll, beforeAll } from 'vitest';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { type Harness, startHarness } from './harness.ts';

export interface OidcServer {
  readonly issuer: FakeIssuer;
  readonly harness: Harness;
}

/** A server that takes tokens of an issuer of its own, for the tests of one file. */
export function useOidcServer(toolScopes: Readonly<Record<string, readonly string[]>> = {}): () => OidcServer {
  let issuer: FakeIssuer;
  let oidc: OidcAuthenticator;
  let harness: Harness;
  beforeAll(async () => {
    issuer = await startFakeIssuer();
    oidc = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [] });
    harness = await startHarness({ authentication: () => ({ authenticator: oidc, toolScopes }) });
  });
  afterAll(async () => {
    await harness.close();
    await oidc.close();
    await issuer.stop();
  });
  return () => ({ issuer, harness });
}
