import * as oauth from 'openid-client';
import { CliError, quoted, reasonOf } from './cli-error.ts';
import type { Environment } from './config.ts';
import { bodyOf } from './reply.ts';
import { isBearerToken, type StoredTokens } from './token-store.ts';
import { isInTheClear, placeOf } from './trust.ts';

const scope = 'openid email profile';
/** For one request to the issuer, in seconds. */
const timeoutSeconds = 10;
/** How long a login is waited for at most, and how often it is asked for, in seconds, whatever the issuer says. */
const maxLoginSeconds = 3600;
const minIntervalSeconds = 1;
/** Where it says nothing (RFC 8628). */
const defaultIntervalSeconds = 5;

export type OidcEnvironment = Environment & Required<Pick<Environment, 'oidc'>>;

/** The issuer of an environment. Throws CliError where it cannot be reached, or would be talked to in the clear. */
async function openIssuer({ oidc }: OidcEnvironment): Promise<oauth.Configuration> {
  const url = new URL(oidc.issuer);
  if (isInTheClear(oidc.issuer)) {
    throw new CliError('usage', `The issuer ${oidc.issuer} is not https; only one on this machine may be.`);
  }
  const authentication = oidc.clientSecret ? oauth.ClientSecretPost(oidc.clientSecret) : oauth.None();
  // http, as said above, is to this machine alone.
  const execute = url.protocol === 'http:' ? [oauth.allowInsecureRequests] : [];
  const options = { timeout: timeoutSeconds, execute, [oauth.customFetch]: guardedFetch };
  return oauth.discovery(url, oidc.clientId, undefined, authentication, options).catch((error: unknown) => {
    const next = 'Look at oidc_issuer, or try again later.';
    throw new CliError('failed', `The issuer ${oidc.issuer} cannot be used: ${messageOf(error)}. ${next}`, {
      cause: error,
    });
  });
}

/** To where the issuer's metadata says: in the clear to nowhere but this machine, and for no more than an answer is. */
const guardedFetch: oauth.CustomFetch = async (url, options) => {
  if (isInTheClear(url)) throw new Error(`${url} is not https`);
  const response = await fetch(url, { ...options, body: options.body ?? null });
  const { status, headers } = response;
  const body = await bodyOf(response);
  return new Response(body.length === 0 ? null : body, { status, headers });
};

/** Device-code grant (RFC 8628), with PKCE, which Keycloak asks for here too. `show` tells the user where to go. */
export async function deviceLogin(
  environment: OidcEnvironment,
  { show, now }: { readonly show: (url: string, code: string) => void; readonly now: () => number },
): Promise<StoredTokens> {
  const issuer = await openIssuer(environment);
  const verifier = oauth.randomPKCECodeVerifier();
  try {
    const device = await oauth.initiateDeviceAuthorization(issuer, {
      scope,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const page = device.verification_uri_complete ?? device.verification_uri;
    if (!/^https?:\/\//i.test(page)) throw new Error('the issuer names no web page to confirm it on');
    show(quoted(page), quoted(device.user_code));
    const tokens = await pollForTokens(issuer, device, verifier);
    return stored(environment, tokens, now());
  } catch (error) {
    throw new CliError('notAuthenticated', `The login did not succeed: ${messageOf(error)}. Run tntc login again.`, {
      cause: error,
    });
  }
}

/** Asks as often as the issuer says, within bounds; after a failure of the network half as often, as RFC 8628 wants it. */
async function pollForTokens(
  issuer: oauth.Configuration,
  device: oauth.DeviceAuthorizationResponse,
  verifier: string,
): ReturnType<typeof oauth.pollDeviceAuthorizationGrant> {
  const signal = AbortSignal.timeout(Math.ceil(Math.min(device.expires_in, maxLoginSeconds) * 1000));
  let interval = Math.max(device.interval ?? defaultIntervalSeconds, minIntervalSeconds);
  for (;;) {
    try {
      const asked = { ...device, interval };
      return await oauth.pollDeviceAuthorizationGrant(issuer, asked, { code_verifier: verifier }, { signal });
    } catch (error) {
      if (signal.aborted || !isNetworkFailure(error)) throw error;
      interval *= 2;
    }
  }
}

/** Nobody could be reached, or not in time. */
function isNetworkFailure(error: unknown): boolean {
  if (error instanceof oauth.ClientError) return error.code === 'OAUTH_TIMEOUT';
  return error instanceof TypeError && error.cause instanceof Error;
}

/** New tokens for old; undefined where the session is over. */
export async function refresh(
  environment: OidcEnvironment,
  refreshToken: string,
  now: () => number,
): Promise<StoredTokens | undefined> {
  const issuer = await openIssuer(environment);
  try {
    const tokens = await oauth.refreshTokenGrant(issuer, refreshToken);
    return { refresh_token: refreshToken, ...stored(environment, tokens, now()) };
  } catch (error) {
    if (error instanceof oauth.ResponseBodyError && error.error === 'invalid_grant') return undefined;
    throw new CliError('failed', `The token cannot be refreshed: ${messageOf(error)}. Try again later.`, {
      cause: error,
    });
  }
}

/** Ends the session at the issuer. */
export async function revoke(environment: OidcEnvironment, refreshToken: string): Promise<void> {
  await oauth.tokenRevocation(await openIssuer(environment), refreshToken, { token_type_hint: 'refresh_token' });
}

function stored(
  environment: OidcEnvironment,
  tokens: { readonly access_token: string; readonly refresh_token?: string; readonly expires_in?: number },
  now: number,
): StoredTokens {
  if (!isBearerToken(tokens.access_token)) throw new Error('it gives out an access token that no header can carry');
  return {
    place: placeOf(environment),
    access_token: tokens.access_token,
    ...(tokens.refresh_token ? { refresh_token: tokens.refresh_token } : {}),
    expires_at: now + (tokens.expires_in ?? 300) * 1000,
  };
}

/** In words of the issuer where it gave some; never a token. */
export function messageOf(error: unknown): string {
  if (error instanceof oauth.ResponseBodyError) return quoted(error.error_description ?? error.error);
  if (error instanceof oauth.ClientError) {
    // The client itself says no more than that something was unexpected, or went wrong.
    if (error.cause instanceof Response) return `it answers with status ${error.cause.status}`;
    if (error.code === undefined) return quoted(reasonOf(error.cause));
  }
  return quoted(reasonOf(error));
}
