/** How a command ends, for scripts. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, notAuthenticated: 3 } as const;

/** What a person is told instead of a stack: what failed, and what to do next. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;

  constructor(outcome: keyof typeof exitCodes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCodes[outcome];
  }
}
