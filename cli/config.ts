import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { CliError } from './cli-error.ts';
import type { Terminal } from './terminal.ts';

/** One place to talk to, put together from flags, variables and both files. */
export interface Environment {
  readonly name: string;
  readonly endpoint: string;
  readonly oidc?: { readonly issuer: string; readonly clientId: string; readonly clientSecret?: string };
  /** File with the static token. */
  readonly tokenPath?: string;
  /** Endpoint or issuer come from the project's file, which whoever wrote the repository chose. */
  readonly fromProject: boolean;
}

export interface EnvironmentFlags {
  readonly env?: string;
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });
const projectEnvironment = z.strictObject({
  mcp_endpoint: httpUrl.optional(),
  oidc_issuer: httpUrl.optional(),
  oidc_client_id: z.string().min(1).optional(),
});
const userEnvironment = projectEnvironment.extend({
  mcp_token_path: z.string().min(1).optional(),
  oidc_client_secret: z.string().min(1).optional(),
});
/** A name becomes part of a file's name. */
const environmentName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'letters, digits, - and _ only');
const fileOf = <T extends z.ZodType>(environment: T) =>
  z.strictObject({
    default_env: environmentName.optional(),
    environments: z.record(environmentName, environment).default({}),
  });
const userFile = fileOf(userEnvironment);
const projectFile = fileOf(projectEnvironment);

const defaultClientId = 'tentacular-mcp';

/** Flags before variables before the project's file before the user's. Throws CliError `usage` with all faults. */
export async function readEnvironment(terminal: Terminal, flags: EnvironmentFlags): Promise<Environment> {
  const user = await readFileOf(userFile, join(terminal.home, '.tentacular/config.yaml'));
  const projectPath = join(terminal.cwd, '.tentacular/config.yaml');
  const project = terminal.cwd === terminal.home ? empty : await readFileOf(projectFile, projectPath);
  const name = flags.env ?? terminal.env.TENTACULAR_ENV ?? project.default_env ?? user.default_env ?? 'default';
  if (!environmentName.safeParse(name).success) throw new CliError('usage', `"${name}" is no name of an environment.`);
  const [ours, theirs] = [user.environments[name] ?? {}, project.environments[name] ?? {}];
  const endpoint = terminal.env.TNTC_MCP_ENDPOINT || theirs.mcp_endpoint || ours.mcp_endpoint;
  if (endpoint === undefined || !httpUrl.safeParse(endpoint).success) {
    const known = [...new Set([...Object.keys(user.environments), ...Object.keys(project.environments)])];
    throw new CliError(
      'usage',
      `The environment "${name}" has no mcp_endpoint. Known: ${known.join(', ') || 'none'}. ` +
        'Set environments.<name>.mcp_endpoint in ~/.tentacular/config.yaml, or TNTC_MCP_ENDPOINT.',
    );
  }
  const issuer = theirs.oidc_issuer ?? ours.oidc_issuer;
  const clientSecret = ours.oidc_client_secret;
  const clientId = theirs.oidc_client_id ?? ours.oidc_client_id ?? defaultClientId;
  return {
    name,
    endpoint,
    ...(issuer === undefined ? {} : { oidc: { issuer, clientId, ...(clientSecret ? { clientSecret } : {}) } }),
    ...(ours.mcp_token_path ? { tokenPath: ours.mcp_token_path.replace(/^~(?=\/)/, terminal.home) } : {}),
    fromProject:
      (endpoint === theirs.mcp_endpoint && endpoint !== ours.mcp_endpoint) ||
      (issuer !== undefined && issuer !== ours.oidc_issuer),
  };
}

const empty: z.output<typeof projectFile> = { environments: {} };

async function readFileOf<T extends z.ZodType>(schema: T, path: string): Promise<z.output<T>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return schema.parse({});
    throw new CliError('usage', `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = schema.safeParse(parseYaml(path, text) ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `- ${issue.path.join('.') || '(root)'}: ${issue.message}`);
  const rule =
    'A project may name endpoints and issuers; token paths and secrets stand in ~/.tentacular/config.yaml only.';
  throw new CliError('usage', `${path}:\n${faults.join('\n')}\n${rule}`);
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new CliError('usage', `${path} is not YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
}
