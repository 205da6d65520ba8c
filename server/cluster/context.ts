import type { Client } from './client.ts';
import type { GuardedWriter } from './guard.ts';

/** What the verbs of this folder work with. */
export interface Context {
  readonly client: Client;
  readonly writer: GuardedWriter;
  /** Field manager under which whole objects are applied. */
  readonly manager: string;
  readonly now: () => number;
  readonly random: () => number;
}

/** The clock as ISO 8601 in UTC, to the second, as Kubernetes writes it. */
export function isoTime(context: Pick<Context, 'now'>): string {
  return new Date(context.now()).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
