import {
  decodeJwt,
  errors,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyOptions,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
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

  async function verify(token: string): Promise<JWTVerifyResult | Verdict> {
    const rules = {
      algorithms,
      issuer: options.issuer,
      audience: options.audience,
      requiredClaims: ['exp', 'sub'],
      clockTolerance: clockSkewSeconds,
      currentDate: clock(),
    };
    try {
      return await jwtVerify(token, keys.key, rules).catch((error: unknown) => verifyByAny(error, token, rules));
    } catch (error) {
      if (error instanceof KeysUnavailable) {
        return { kind: 'unavailable', retryAfterSeconds: error.retryAfterSeconds };
      }
      // Said only after everything else has held.
      if (error instanceof errors.JWTExpired) return { kind: 'refused', reason: 'has expired', wasGood: true };
      return { kind: 'refused', reason: reasonOf(error) };
    }
  }

  return {
    name: 'oidc',
    async judge(credential) {
      const claims = claimsOf(credential);
      if (claims === undefined) return { kind: 'unknown' };
      // Said before any key is looked for: another issuer's keys are none of ours.
      if (claims.iss !== options.issuer) return { kind: 'refused', reason: 'is not from the configured issuer' };
      const verified = await verify(credential);
      if ('kind' in verified) return verified;
      if (!isAccessToken(verified.protectedHeader)) return { kind: 'refused', reason: 'is no access token' };
      const identity = identityOf(verified.payload, options);
      return 'reason' in identity ? { kind: 'refused', reason: identity.reason } : { kind: 'accepted', ...identity };
    },
    start: keys.start,
    close() {
      keys.close();
      return source.close();
    },
  };
}

/** A token need not name its key (RFC 7515, 4.1.4). Where several could have signed it, each of them is tried. */
async function verifyByAny(error: unknown, token: string, rules: JWTVerifyOptions): Promise<JWTVerifyResult> {
  if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
  for await (const key of error) {
    try {
      return await jwtVerify(token, key, rules);
    } catch (fault) {
      // What is no error of jose is about the key: one that cannot be used has signed nothing.
      const isOther = fault instanceof errors.JWSSignatureVerificationFailed || !(fault instanceof errors.JOSEError);
      if (!isOther) throw fault;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
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

/** By the type in its header (RFC 8725, 3.11; RFC 9068, 2.1): most issuers write "JWT" or nothing. */
function isAccessToken({ typ }: JWTHeaderParameters): boolean {
  return typ === undefined || /^(application\/)?(at\+)?jwt$/i.test(typ);
}

/** Completes "the token …", for the caller: names the check and holds nothing of the token. */
function reasonOf(error: unknown): string {
  // What is thrown beside errors of jose is about a key: too short, or none at all.
  if (!(error instanceof errors.JOSEError) || error instanceof errors.JWKSInvalid) {
    return 'is signed with a key of the issuer that cannot be used';
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    return claimReasons[error.claim] ?? 'has a claim that is not valid';
  }
  if (error instanceof errors.JOSEAlgNotAllowed) return `is not signed with one of ${algorithms.join(', ')}`;
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'has a signature that is not valid';
  if (error instanceof errors.JWKSNoMatchingKey) {
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
