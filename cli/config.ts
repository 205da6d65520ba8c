import { realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { CliError } from './cli-error.ts';
import {
  emptyProject,
  environmentName,
  httpUrl,
  readProjectFile,
  readUserFile,
  type UserEnvironment,
} from './config-file.ts';
import type { Terminal } from './terminal.ts';

/** One place to talk to, put together from flags, variables and both files. */
export interface Environment {
  readonly name: string;
  readonly endpoint: string;
  readonly oidc?: { readonly issuer: string; readonly clientId: string; readonly clientSecret?: string };
  /** File with the static token of this endpoint. */
  readonly tokenPath?: string;
  /** The server that a static token is configured for, where the project names another one: it stays here. */
  readonly tokenIsFor?: string;
  /** Endpoint, issuer or client come from the project's file, which whoever wrote the repository chose. */
  readonly fromProject: boolean;
}

export interface EnvironmentFlags {
  readonly env?: string;
}

const defaultClientId = 'tentacular-mcp';

/** Flags before variables before the project's file before the user's. Throws CliError `usage` with all faults. */
export async function readEnvironment(terminal: Terminal, flags: EnvironmentFlags): Promise<Environment> {
  const { home, cwd, env } = terminal;
  // Relative, it would be a folder of the project, whose author could then set everything.
  if (!isAbsolute(home)) {
    throw new CliError('usage', `The home folder is not known: HOME is "${home}". Set it to an absolute path.`);
  }
  const user = await readUserFile(join(home, '.tentacular/config.yaml'));
  const isHome = (await realPath(cwd)) === (await realPath(home));
  const project = isHome ? emptyProject : await readProjectFile(join(cwd, '.tentacular/config.yaml'));
  const name = flags.env ?? (env.TENTACULAR_ENV || (project.default_env ?? user.default_env ?? 'default'));
  if (!environmentName.safeParse(name).success) {
    throw new CliError('usage', `"${name}" is no name of an environment: letters, digits, - and _ only, at most 63.`);
  }
  const [ours, theirs] = [user.environments[name] ?? {}, project.environments[name] ?? {}];
  const wanted = env.TNTC_MCP_ENDPOINT || theirs.mcp_endpoint || ours.mcp_endpoint;
  const { data: endpoint, error } = httpUrl.optional().safeParse(wanted);
  if (error) {
    throw new CliError('usage', `TNTC_MCP_ENDPOINT: ${error.issues.map(({ message }) => message).join('; ')}.`);
  }
  if (endpoint === undefined) {
    throw noEndpoint(name, [...Object.keys(user.environments), ...Object.keys(project.environments)]);
  }
  const issuer = theirs.oidc_issuer ?? ours.oidc_issuer;
  const ourClient = ours.oidc_client_id ?? defaultClientId;
  const clientId = theirs.oidc_client_id ?? ourClient;
  const isTheirEndpoint = endpoint === theirs.mcp_endpoint && endpoint !== ours.mcp_endpoint;
  const isTheirIssuer = issuer !== undefined && (issuer !== ours.oidc_issuer || clientId !== ourClient);
  return {
    name,
    endpoint,
    // A secret is for the issuer and the client that stand beside it, and for no other.
    ...(issuer === undefined
      ? {}
      : { oidc: { issuer, clientId, ...secretOf(isTheirIssuer ? undefined : ours.oidc_client_secret) } }),
    ...tokenOf(ours, home, isTheirEndpoint ? endpoint : undefined),
    fromProject: isTheirEndpoint || isTheirIssuer,
  };
}

function noEndpoint(name: string, known: readonly string[]): CliError {
  return new CliError(
    'usage',
    `The environment "${name}" has no mcp_endpoint. Known: ${[...new Set(known)].join(', ') || 'none'}. ` +
      'Set environments.<name>.mcp_endpoint in ~/.tentacular/config.yaml, or TNTC_MCP_ENDPOINT.',
  );
}

function secretOf(clientSecret: string | undefined) {
  return clientSecret === undefined ? {} : { clientSecret };
}

/** So is a static token: for the server beside it. `theirs`: the one that the project names, if it does. */
function tokenOf(
  { mcp_endpoint: ours, mcp_token_path: path }: UserEnvironment,
  home: string,
  theirs: string | undefined,
): Pick<Environment, 'tokenPath' | 'tokenIsFor'> {
  if (path === undefined) return {};
  if (ours && theirs && new URL(ours).origin !== new URL(theirs).origin) return { tokenIsFor: ours };
  return { tokenPath: path.startsWith('~/') ? join(home, path.slice(2)) : path };
}

/** Without links; a folder that is not there is where it is said to be. */
async function realPath(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
