import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Authenticator, Verdict } from './authenticator.ts';
import { type ClaimRules, identityOf } from './claims.ts';
import { type IssuerOptions, keysOf } from './issuer.ts';
import { createJsonSource, type JsonSourceOptions } from './json-source.ts';
import { createKeySet, type KeySetOptions, KeysUnavailable } from './key-set.ts';

/** Public keys only: with a shared secret whoever can check a token could make one. */
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];
/** How far the clocks of issuer and server may be apart, in seconds. */
const clockSkewSeconds = 30;

export interface OidcOptions extends IssuerOptions, ClaimRules, JsonSourceOptions, Omit<KeySetOptions, 'load'> {
  /** What `aud` must contain: the URL of this resource. */
  readonly audience: string;
  /** The time to which `exp` and `nbf` are held. Default: now. */
  readonly clock?: () => Date;
}

export interface OidcAuthenticator extends Authenticator {
  /** Fetches the issuer's keys, now and in the background. Does not wait: the server starts without the issuer. */
  start(): void;
  close(): Promise<void>;
}

/** Access tokens of one OpenID Connect issuer (JWT), verified by its published keys. */
export function createOidcAuthenticator(options: OidcOptions): OidcAuthenticator {
  const source = createJsonSource(options);
  const keys = createKeySet({ ...options, load: keysOf(options, source) });
  const clock = options.clock ?? (() => new Date());

  async function verify(token: string): Promise<Verdict> {
    const { payload } = await jwtVerify(token, keys.key, {
      algorithms,
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: clockSkewSeconds,
      currentDate: clock(),
    });
    const identity = identityOf(payload, options);
    if ('reason' in identity) return { kind: 'refused', reason: identity.reason };
    return { kind: 'accepted', ...identity };
  }

  return {
    name: 'oidc',
    async judge(credential) {
      const claims = claimsOf(credential);
      if (claims === undefined) return { kind: 'unknown' };
      // Said before any key is looked for: another issuer's keys are none of ours.
      if (claims.iss !== options.issuer) return { kind: 'refused', reason: 'is not from the configured issuer' };
      try {
        return await verify(credential);
      } catch (error) {
        if (error instanceof KeysUnavailable) {
          return { kind: 'unavailable', retryAfterSeconds: error.retryAfterSeconds };
        }
        if (error instanceof errors.JOSEError) return { kind: 'refused', reason: reasonOf(error) };
        throw error;
      }
    },
    start: keys.start,
    close() {
      keys.close();
      return source.close();
    },
  };
}

/** What a token says without proof; undefined where it is no JWT at all, and so none of ours to judge. */
function claimsOf(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JWTInvalid) return undefined;
    throw error;
  }
}

/** Completes "the token …", for the caller: names the check and holds nothing of the token. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    return claimReasons[error.claim] ?? 'has a claim that is not valid';
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return `is not signed with one of ${algorithms.join(', ')}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'has a signature that is not valid';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
    return 'is signed with a key that the issuer does not publish';
  }
  return 'is not well-formed';
}

const claimReasons: Readonly<Record<string, string>> = {
  aud: 'is not meant for this server (aud)',
  exp: 'does not say when it expires',
  nbf: 'is not valid yet',
  sub: 'names no subject',
};
