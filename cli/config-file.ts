import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import { showHidden } from '../constructs/model/text.ts';
import { CliError, reasonOf } from './cli-error.ts';
import { isCode } from './private-file.ts';

/** Far above any configuration, in bytes. */
const maxBytes = 64 * 1024;

/** Scheme, host, and its end where nobody reads it differently; no user before it. */
const plainHost = /^https?:\/\/([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d+)?([/?#]|$)/i;

/** Printable ASCII with a plain host: what is shown of it to somebody who has to trust it is what it is. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http(s) URL' })
  .refine((text) => /^[\x21-\x7e]+$/.test(text), 'must be printable ASCII; hosts of other scripts are written xn--...')
  .refine((text) => plainHost.test(text), 'must have a host after the //, and no user before it');
const projectEnvironment = z.strictObject({
  mcp_endpoint: httpUrl.optional(),
  oidc_issuer: httpUrl.optional(),
  oidc_client_id: z.string().min(1).optional(),
});
const userEnvironment = projectEnvironment.extend({
  mcp_token_path: z
    .string()
    .regex(/^(~\/|\/)./, 'must be absolute, or begin with ~/')
    .optional(),
  oidc_client_secret: z.string().min(1).optional(),
});
export type UserEnvironment = z.output<typeof userEnvironment>;

/** A name becomes part of a file's name. */
export const environmentName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'letters, digits, - and _ only, at most 63');
const fileOf = <T extends z.ZodType>(environment: T) =>
  z.strictObject({
    default_env: environmentName.optional(),
    environments: z.record(environmentName, environment).default({}),
  });
const userFile = fileOf(userEnvironment);
const projectFile = fileOf(projectEnvironment);

/** `.tentacular/config.yaml` of a project, which whoever wrote the repository wrote. Empty where there is none. */
export const emptyProject: z.output<typeof projectFile> = { environments: {} };

/** The user's own file; empty where there is none. Throws CliError `usage` with all faults. */
export function readUserFile(path: string): Promise<z.output<typeof userFile>> {
  return read(userFile, path, '');
}

/** The project's file, which may set less. Throws CliError `usage` with all faults. */
export function readProjectFile(path: string): Promise<z.output<typeof projectFile>> {
  const rule =
    '\nA project may name endpoints and issuers; token paths and secrets stand in ~/.tentacular/config.yaml only.';
  return read(projectFile, path, rule);
}

async function read<T extends z.ZodType>(schema: T, path: string, rule: string): Promise<z.output<T>> {
  const text = await textOf(path);
  const parsed = schema.safeParse((text === undefined ? undefined : parseYaml(path, text)) ?? {});
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => {
    const place = showHidden(issue.path.join('.')) || '(root)';
    return `- ${place}: ${showHidden(issue.message)}`;
  });
  throw new CliError('usage', `${path}:\n${faults.join('\n')}${rule}`);
}

/** Content, or undefined where there is none. Of a link to a device or a pipe nothing is read, and nobody waits. */
async function textOf(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw new Error('it is no file');
      const { bytesRead, buffer } = await file.read(Buffer.alloc(maxBytes + 1), 0, maxBytes + 1, 0);
      if (bytesRead > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new CliError('usage', `${path} cannot be read: ${reasonOf(error)}`);
  }
}

function parseYaml(path: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // The first line says what and where; those after it quote the file.
    const [what = ''] = reasonOf(error).split('\n');
    throw new CliError('usage', `${path} is not YAML: ${showHidden(what)}`);
  }
}
