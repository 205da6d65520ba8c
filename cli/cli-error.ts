import { showHidden } from '../constructs/model/text.ts';

/** How a command ends, for scripts. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notAuthenticated: 3, permissionDenied: 4 } as const;

/** What a person is told instead of a stack: what failed, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(outcome: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[outcome];
  }
}

/** Longest text of somebody else's that a message quotes, in characters. */
const maxQuote = 500;

/** What somebody else said, as part of a message of ours: on one line, and steering nothing. */
export function quoted(text: string): string {
  return showHidden(text.length > maxQuote ? `${text.slice(0, maxQuote)}...` : text);
}

/** Why something failed, in words. `fetch` itself says only that it did; its cause says why. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(error instanceof TypeError && cause instanceof Error)) return error.message;
  // Of several addresses that were tried in vain there is a code and no message.
  return cause.message || ('code' in cause ? String(cause.code) : error.message);
}
