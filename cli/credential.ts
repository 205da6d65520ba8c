import { readFile } from 'node:fs/promises';
import { CliError } from './cli-error.ts';
import type { Environment } from './config.ts';
import { type OidcEnvironment, refresh } from './issuer.ts';
import type { Terminal } from './terminal.ts';
import { type StoredTokens, tokenStore } from './token-store.ts';
import { placeOf, requireTrust, samePlace } from './trust.ts';

/** A token is renewed when it has less than this left, in milliseconds: a call must not outlive it. */
const renewBeforeMs = 60_000;

export interface Credential {
  readonly kind: 'oidc' | 'bearer';
  readonly token: string;
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
  if (given) return { kind: 'bearer', token: given };
  if (hasOidc(environment) && options.admin !== true) {
    return { kind: 'oidc', token: (await currentTokens(terminal, environment)).access_token };
  }
  if (environment.tokenPath === undefined) {
    throw new CliError(
      'notAuthenticated',
      `The environment "${environment.name}" has neither oidc_issuer nor mcp_token_path.`,
    );
  }
  terminal.note(`Using the bearer token of ${environment.tokenPath}: what you make has no owner.`);
  const token = await readFile(environment.tokenPath, 'utf8').catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError('notAuthenticated', `The bearer token cannot be read: ${reason}`);
  });
  return { kind: 'bearer', token: token.split('\n')[0]?.trim() ?? '' };
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
