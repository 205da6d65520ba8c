import { decodeJwt, type JWTPayload } from 'jose';
import { isJsonObject } from '../constructs/model/json.ts';
import { CliError, quoted } from './cli-error.ts';
import { type Environment, type EnvironmentFlags, readEnvironment } from './config.ts';
import { type Credential, type CredentialOptions, credentialFor, hasOidc } from './credential.ts';
import { deviceLogin, messageOf, type OidcEnvironment, revoke } from './issuer.ts';
import { bodyOf } from './reply.ts';
import type { Terminal } from './terminal.ts';
import { tokenStore } from './token-store.ts';
import { placeOf, requireEncrypted, requireTrust, samePlace } from './trust.ts';

/** For the server's answer, in milliseconds. */
const serverTimeoutMs = 15_000;

/** What `whoami` and `login` tell; a field is absent where it is not known. */
export interface WhoAmI {
  readonly environment: string;
  readonly endpoint: string;
  readonly kind: 'oidc' | 'bearer';
  readonly name?: string;
  readonly email?: string;
  /** False: group rights fail, because members are named by e-mail. */
  readonly email_verified?: boolean;
  readonly subject?: string;
  readonly client?: string;
  readonly issuer?: string;
  /** RFC 3339. */
  readonly expires_at?: string;
}

/** Device-code login; the tokens are kept for this environment. */
export async function login(terminal: Terminal, flags: EnvironmentFlags): Promise<WhoAmI> {
  const environment = await oidcEnvironment(terminal, flags);
  await requireTrust(terminal, environment);
  requireEncrypted(environment);
  const tokens = await deviceLogin(environment, {
    now: terminal.now,
    show: (url, code) => terminal.note(`Open ${url}\nand confirm the code ${code}. Waiting ...`),
  });
  const me = describe(environment, { kind: 'oidc', token: tokens.access_token });
  const store = tokenStore(terminal, environment.name);
  await store.locked(() => store.write(tokens));
  return me;
}

/** Ends the session at the issuer and forgets the tokens; forgets them also where the issuer cannot be reached. */
export async function logout(terminal: Terminal, flags: EnvironmentFlags): Promise<{ readonly environment: string }> {
  const environment = await oidcEnvironment(terminal, flags);
  const store = tokenStore(terminal, environment.name);
  return store.locked(async () => {
    const tokens = await store.read();
    await store.remove();
    if (tokens === undefined) return { environment: environment.name };
    if (!samePlace(tokens.place, placeOf(environment))) {
      // A token goes back only to the issuer that it is from.
      const { issuer, endpoint } = tokens.place;
      terminal.note(`The tokens removed were of ${issuer ?? endpoint}: the session there ends by itself.`);
    } else if (tokens.refresh_token) {
      await revoke(environment, tokens.refresh_token).catch((error: unknown) => {
        const why = messageOf(error).replace(/\.$/, '');
        const reason = `The tokens are removed here, but the session could not be ended: ${why}`;
        throw new CliError('failed', `${reason}. It ends by itself within the issuer's session time.`, {
          cause: error,
        });
      });
    }
    return { environment: environment.name };
  });
}

/** Whom the caller's token speaks of. The server is asked first, so that one which it refuses is not shown as good. */
export async function whoami(terminal: Terminal, flags: EnvironmentFlags & CredentialOptions): Promise<WhoAmI> {
  const environment = await readEnvironment(terminal, flags);
  const credential = await credentialFor(terminal, environment, flags);
  await askServer(environment, credential);
  const me = describe(environment, credential);
  if (me.email_verified === false) {
    terminal.note(
      `The e-mail ${me.email} is not verified: rights of enclave members do not count. Verify it at ${me.issuer}.`,
    );
  }
  return me;
}

async function oidcEnvironment(terminal: Terminal, flags: EnvironmentFlags): Promise<OidcEnvironment> {
  const environment = await readEnvironment(terminal, flags);
  if (hasOidc(environment)) return environment;
  throw new CliError(
    'usage',
    `The environment "${environment.name}" has no oidc_issuer; set it in ~/.tentacular/config.yaml to log in.`,
  );
}

async function askServer({ endpoint }: Environment, { token, remedy }: Credential): Promise<void> {
  const { status, text } = await ping(endpoint, token).catch((error: unknown) => {
    throw new CliError('failed', `${endpoint} does not answer: ${messageOf(error)}`, { cause: error });
  });
  if (status === 200 && isReply(text)) return;
  const told = status === 200 ? 'what it answers is not MCP.' : (errorDescription(text) ?? `status ${status}.`);
  if (status === 401) throw new CliError('notAuthenticated', `${told} ${remedy}`);
  const next = status === 200 || status === 404 ? ' Look at mcp_endpoint, which ends in /mcp.' : '';
  throw new CliError(status === 403 ? 'permissionDenied' : 'failed', `${endpoint} refused: ${told}${next}`);
}

/** A JSON-RPC answer, by itself or as an event of a stream. */
function isReply(text: string): boolean {
  const body = jsonOf(/^data: (.*)$/m.exec(text)?.[1] ?? text);
  return isJsonObject(body) && body.jsonrpc === '2.0';
}

async function ping(endpoint: string, token: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(endpoint, {
    method: 'POST',
    // The token goes nowhere else.
    redirect: 'error',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    signal: AbortSignal.timeout(serverTimeoutMs),
  });
  return { status: response.status, text: (await bodyOf(response)).toString('utf8') };
}

function errorDescription(text: string): string | undefined {
  const body = jsonOf(text);
  return isJsonObject(body) && typeof body.error_description === 'string' ? quoted(body.error_description) : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the token says; the server has verified it, or will. */
function describe({ name, endpoint }: Environment, { kind, token }: Pick<Credential, 'kind' | 'token'>): WhoAmI {
  const base = { environment: name, endpoint, kind };
  if (kind === 'bearer') return base;
  const claims = claimsOf(token);
  const text = (key: string) => (typeof claims[key] === 'string' && claims[key] !== '' ? claims[key] : undefined);
  const email = text('email');
  return {
    ...base,
    ...given('name', text('name') ?? text('preferred_username')),
    ...given('email', email),
    ...(email === undefined ? {} : { email_verified: claims.email_verified === true }),
    ...given('subject', text('sub')),
    ...given('client', text('azp')),
    ...given('issuer', text('iss')),
    ...given('expires_at', timeOf(claims.exp)),
  };
}

function claimsOf(token: string): JWTPayload {
  try {
    return decodeJwt(token);
  } catch (error) {
    throw new CliError('failed', 'The issuer gives out access tokens that are no JWT; the server takes no others.', {
      cause: error,
    });
  }
}

function timeOf(seconds: unknown): string | undefined {
  const time = new Date(typeof seconds === 'number' ? seconds * 1000 : Number.NaN);
  return Number.isNaN(time.getTime()) ? undefined : time.toISOString();
}

function given<K extends string>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}
