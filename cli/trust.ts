import { join } from 'node:path';
import { CliError } from './cli-error.ts';
import type { Environment } from './config.ts';
import { readPrivate, withFileLock, writePrivate } from './private-file.ts';
import type { Terminal } from './terminal.ts';

/** What a stored token, or a yes of the user, holds for: neither goes to another place. */
export interface Place {
  /** Origin of the endpoint. */
  readonly endpoint: string;
  readonly issuer?: string;
}

export function placeOf({ endpoint, oidc }: Environment): Place {
  return { endpoint: new URL(endpoint).origin, ...(oidc ? { issuer: oidc.issuer } : {}) };
}

export function samePlace(a: Place, b: Place): boolean {
  return a.endpoint === b.endpoint && a.issuer === b.issuer;
}

/**
 * A cloned repository is not trusted: before any credential goes to a place that it names, the user says yes, once.
 * Throws CliError `usage` where the answer is no, or nobody can be asked.
 */
export async function requireTrust(terminal: Terminal, environment: Environment): Promise<void> {
  if (!environment.fromProject) return;
  const path = join(terminal.home, '.tentacular/trusted.json');
  const place = placeOf(environment);
  if ((await trusted(path)).some((known) => samePlace(known, place))) return;
  const where = `${place.endpoint}${place.issuer ? ` with the issuer ${place.issuer}` : ''}`;
  const answer = await terminal.ask(`This project sends you to ${where}. Send your credentials there?`);
  if (answer !== true) {
    const next = answer === undefined ? 'Run the command once in a terminal and say yes' : 'If you trust it, say yes';
    throw new CliError(
      'usage',
      `${where} comes from this project's .tentacular/config.yaml. ${next}, or name it in ~/.tentacular/config.yaml.`,
    );
  }
  await withFileLock(`${path}.lock`, async () => {
    await writePrivate(path, JSON.stringify([...(await trusted(path)), place], null, 2));
  });
}

async function trusted(path: string): Promise<readonly Place[]> {
  return JSON.parse((await readPrivate(path)) ?? '[]') as readonly Place[];
}
