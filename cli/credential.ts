import { readFile } from 'node:fs/promises';
import { CliError, reasonOf } from './cli-error.ts';
import type { Environment } from './config.ts';
import { type OidcEnvironment, refresh } from './issuer.ts';
import type { Terminal } from './terminal.ts';
import { isBearerToken, type StoredTokens, tokenStore } from './token-store.ts';
import { isInTheClear, placeOf, requireEncrypted, requireTrust, samePlace } from './trust.ts';

/** A token is renewed when it has less than this left, in milliseconds: a call must not outlive it. */
const renewBeforeMs = 60_000;

export interface Credential {
  readonly kind: 'oidc' | 'bearer';
  readonly token: string;
  /** What to do where the server refuses it. */
  readonly remedy: string;
}

export interface CredentialOptions {
  /** Use the static token although OIDC is configured. */
  readonly admin?: boolean;
}

/**
 * What to send to the server of this environment: the caller's own login; the static token only where there is no OIDC,
 * or it is asked for. Never one after the other. Throws CliError `notAuthenticated` with what to do.
 */
export async function credentialFor(
  terminal: Terminal,
  environment: Environment,
  options: CredentialOptions,
): Promise<Credential> {
  await requireTrust(terminal, environment);
  const given = terminal.env.TNTC_MCP_TOKEN;
  if (given) {
    terminal.note(`Using the token of TNTC_MCP_TOKEN.${clearNote(environment)}`);
    return { kind: 'bearer', token: bearerToken('TNTC_MCP_TOKEN', given), remedy: 'Renew or unset TNTC_MCP_TOKEN.' };
  }
  if (hasOidc(environment) && options.admin !== true) {
    requireEncrypted(environment);
    const { access_token } = await currentTokens(terminal, environment);
    return { kind: 'oidc', token: access_token, remedy: `Run: tntc login --env ${environment.name}` };
  }
  return tokenOfFile(terminal, environment);
}

async function tokenOfFile(terminal: Terminal, environment: Environment): Promise<Credential> {
  const { name, endpoint, tokenPath, tokenIsFor } = environment;
  if (tokenPath === undefined) {
    const lacking = hasOidc(environment)
      ? 'no mcp_token_path, which --admin needs'
      : 'neither oidc_issuer nor mcp_token_path';
    const other = tokenIsFor && `: that of ${tokenIsFor} is not sent to ${endpoint}, which the project names`;
    throw new CliError('notAuthenticated', `The environment "${name}" has ${lacking}${other ?? ''}.`);
  }
  terminal.note(`Using the bearer token of ${tokenPath}: what you make has no owner.${clearNote(environment)}`);
  const text = await readFile(tokenPath, 'utf8').catch((error: unknown) => {
    throw new CliError('notAuthenticated', `The bearer token cannot be read: ${reasonOf(error)}`);
  });
  // A second line holds the other live one during a rotation.
  const token = bearerToken(tokenPath, text.split('\n')[0] ?? '');
  return { kind: 'bearer', token, remedy: `Renew the token in ${tokenPath}.` };
}

function clearNote({ endpoint }: Environment): string {
  return isInTheClear(endpoint) ? ` It is sent in the clear: ${endpoint} is not https.` : '';
}

function bearerToken(place: string, text: string): string {
  const token = text.trim();
  if (isBearerToken(token)) return token;
  throw new CliError('notAuthenticated', `${place} holds no token: one line of printable ASCII without white space.`);
}

export function hasOidc(environment: Environment): environment is OidcEnvironment {
  return environment.oidc !== undefined;
}

/** Tokens that are good for a while, renewed if they are not; by one process at a time, since each renewal ends the last. */
async function currentTokens(terminal: Terminal, environment: OidcEnvironment): Promise<StoredTokens> {
  const store = tokenStore(terminal, environment.name);
  const loggedOut = () =>
    new CliError('notAuthenticated', `You are not logged in. Run: tntc login --env ${environment.name}`);
  const usable = async () => {
    const tokens = await store.read();
    // Tokens of another server or issuer are none here, whatever the file is called.
    if (tokens === undefined || !samePlace(tokens.place, placeOf(environment))) throw loggedOut();
    return tokens;
  };
  const isFresh = (tokens: StoredTokens) => tokens.expires_at - terminal.now() > renewBeforeMs;
  const tokens = await usable();
  if (isFresh(tokens)) return tokens;
  return store.locked(async () => {
    const latest = await usable();
    if (isFresh(latest)) return latest;
    const renewed = latest.refresh_token && (await refresh(environment, latest.refresh_token, terminal.now));
    if (!renewed) {
      await store.remove();
      throw loggedOut();
    }
    await store.write(renewed);
    return renewed;
  });
}
