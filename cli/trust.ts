import { join } from 'node:path';
import { z } from 'zod';
import { CliError, quoted } from './cli-error.ts';
import type { Environment } from './config.ts';
import { readPrivate, withFileLock, writePrivate } from './private-file.ts';
import type { Terminal } from './terminal.ts';

/** `endpoint`: its origin. */
export const placeSchema = z.object({ endpoint: z.string(), issuer: z.string().optional() });

/** What a stored token holds for: it goes to no other place. */
export type Place = Readonly<z.output<typeof placeSchema>>;

export function placeOf({ endpoint, oidc }: Environment): Place {
  return { endpoint: new URL(endpoint).origin, ...(oidc ? { issuer: oidc.issuer } : {}) };
}

export function samePlace(a: Place, b: Place): boolean {
  return a.endpoint === b.endpoint && a.issuer === b.issuer;
}

/** What a yes of the user holds for. With a client of somebody else's the issuer would end the user's login. */
const trustedSchema = placeSchema.extend({ client: z.string().optional() });
type Trusted = Readonly<z.output<typeof trustedSchema>>;

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for http to another machine: whoever is in between reads along. */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !loopback.has(hostname);
}

/** A login is sent to no server in the clear. Throws CliError `usage`. */
export function requireEncrypted({ endpoint }: Environment): void {
  if (!isInTheClear(endpoint)) return;
  throw new CliError(
    'usage',
    `The server ${endpoint} is not https; only one on this machine may be (kubectl port-forward makes it one).`,
  );
}

/**
 * A cloned repository is not trusted: before any credential goes to a place that it names, the user says yes, once.
 * Throws CliError `usage` where the answer is no, or nobody can be asked.
 */
export async function requireTrust(terminal: Terminal, environment: Environment): Promise<void> {
  if (!environment.fromProject) return;
  const path = join(terminal.home, '.tentacular/trusted.json');
  const client = environment.oidc?.clientId;
  const wanted: Trusted = { ...placeOf(environment), ...(client === undefined ? {} : { client }) };
  if ((await trusted(path)).some((known) => samePlace(known, wanted) && known.client === client)) return;
  const withIssuer = wanted.issuer ? ` with the issuer ${wanted.issuer} as the client "${quoted(client ?? '')}"` : '';
  const where = `${wanted.endpoint}${withIssuer}`;
  const answer = await terminal.ask(`This project sends you to ${where}. Send your credentials there?`);
  if (answer !== true) {
    const next = answer === undefined ? 'Run the command once in a terminal and say yes' : 'If you trust it, say yes';
    throw new CliError(
      'usage',
      `${where} comes from this project's .tentacular/config.yaml. ${next}, or name it in ~/.tentacular/config.yaml.`,
    );
  }
  await withFileLock(`${path}.lock`, async () => {
    await writePrivate(path, [...(await trusted(path)), wanted]);
  });
}

async function trusted(path: string): Promise<readonly Trusted[]> {
  return (await readPrivate(path, z.array(trustedSchema))) ?? [];
}
