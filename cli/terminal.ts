/** Everything outside the process that a command touches. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where the user's own configuration and tokens are: `~`. */
  readonly home: string;
  /** Where `.tentacular/config.yaml` of the project is looked for. */
  readonly cwd: string;
  /** Data. */
  out(text: string): void;
  /** Progress and advice. */
  note(text: string): void;
  /** Asks a yes-or-no question; undefined where nobody is there to answer. */
  ask(question: string): Promise<boolean | undefined>;
  /** Milliseconds since the epoch. */
  now(): number;
}
