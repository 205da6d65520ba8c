import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/**
 * Every code that a tool may answer with. Frozen by a test: clients branch on them.
 * `docs/errors.md` explains each with its remedy.
 */
export const errorCodes = [
  'invalid_input',
  'not_found',
  'permission_denied',
  'no_owner',
  'frozen',
  'conflict',
  'stale_plan',
  'quota_exceeded',
  'policy_violation',
  'unavailable',
  'timeout',
  'cluster_error',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One thing that is wrong with an input: where, what was found, what is allowed. */
export interface Fault {
  /** Path of the offending value, e.g. `nodes.fetch.path`, `files["nodes/a.ts"]`; empty for the whole input. */
  path: string;
  /** What is wrong, in one sentence without the position. */
  message: string;
  /** The value that was found (shortened); absent where it is missing, or secret. */
  found?: JsonValue;
  /** What would have been accepted, in words. */
  allowed?: string;
  /** What to do next, e.g. `did you mean "schedule"?`. */
  hint?: string;
  /** 1-based line in the YAML text, where the input was text. */
  line?: number;
  /** 1-based column in the YAML text, where the input was text. */
  column?: number;
}

export interface TentacularErrorOptions {
  /** What to do next: shown to people and agents. */
  hint: string;
  details?: JsonObject;
  /** Whether the identical call may succeed later. Default: `unavailable`, `timeout` are, all else is not. */
  retryable?: boolean;
  cause?: unknown;
}

/**
 * The one error type of this project. `message` holds subject, what failed, found value, allowed values;
 * `hint` the next step. Never a secret, a stack or a path of the server.
 */
export class TentacularError extends Error {
  override readonly name = 'TentacularError';
  readonly code: ErrorCode;
  readonly hint: string;
  readonly details: JsonObject | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: TentacularErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.retryable = options.retryable ?? (code === 'unavailable' || code === 'timeout');
  }
}

/** One line for one fault: `nodes.a.path (line 7, column 11): must …; found "x"; allowed: …`. */
export function describeFault(fault: Fault): string {
  const position = fault.line === undefined ? '' : ` (line ${fault.line}, column ${fault.column ?? 1})`;
  const found = fault.found === undefined ? '' : `; found ${JSON.stringify(fault.found)}`;
  const allowed = fault.allowed === undefined ? '' : `; allowed: ${fault.allowed}`;
  const hint = fault.hint === undefined ? '' : `; ${fault.hint}`;
  return `${fault.path || '(input)'}${position}: ${fault.message}${found}${allowed}${hint}`;
}

/** The faults that an error carries as data (`invalid_input`); empty for any other. */
export function faultsOf(error: TentacularError): readonly Fault[] {
  const faults = error.details?.faults;
  if (!Array.isArray(faults)) return [];
  return faults.flatMap((fault): Fault[] => {
    if (!isJsonObject(fault) || typeof fault.path !== 'string' || typeof fault.message !== 'string') return [];
    return [{ ...fault, path: fault.path, message: fault.message }];
  });
}

/** `invalid_input` over all faults at once; `details.faults` carries them as data. */
export function invalidInput(subject: string, faults: readonly Fault[]): TentacularError {
  const lines = faults.map((fault) => `- ${describeFault(fault)}`).join('\n');
  const count = faults.length === 1 ? '1 fault' : `${faults.length} faults`;
  return new TentacularError('invalid_input', `${subject} has ${count}:\n${lines}`, {
    hint: 'Correct every fault listed and send the same call again; nothing was changed.',
    details: { faults: faults.map((fault) => ({ ...fault })) },
  });
}
