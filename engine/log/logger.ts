import type { NodeLog } from '../api.ts';
import type { Redactor } from '../context/redact.ts';
import { printable } from './printable.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/** Longest line, in characters: below the 16 KiB at which container runtimes cut a line in two. */
export const maxLineLength = 8000;
/** Longest message or string within a field, in characters. */
const maxTextLength = 4000;

export interface LogOptions {
  /** Takes one line without its line end. */
  readonly write: (line: string) => void;
  readonly redactor: Redactor;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** JSON lines: `time`, `level`, `msg`, then the fields. Bounded, without control characters and without secrets. */
export class Logger implements NodeLog {
  readonly #options: LogOptions;
  readonly #fields: LogFields;

  /** @param fields on every line, before those of the call, which cannot replace them */
  constructor(options: LogOptions, fields: LogFields = {}) {
    this.#options = options;
    this.#fields = fields;
  }

  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger {
    return new Logger(this.#options, { ...this.#fields, ...fields });
  }

  debug(message: string, fields?: LogFields): void {
    this.log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.log('error', message, fields);
  }

  log(level: LogLevel, message: unknown, fields?: LogFields): void {
    const { write, redactor, now } = this.#options;
    const text = (raw: string) => shorten(redactor.text(raw));
    const head = { time: new Date(now()).toISOString(), level, msg: String(printable(message, text)) };
    const extra = printable(fields, text);
    // Twice: the first says where the head stands, the second that no field of a call replaces it.
    const line = JSON.stringify({ ...head, ...(isObject(extra) ? extra : {}), ...head, ...this.#fields });
    write(escapeInvisible(line.length <= maxLineLength ? line : this.#shortened(head)));
  }

  #shortened(head: { readonly msg: string }): string {
    return JSON.stringify({ ...head, msg: head.msg.slice(0, 1000), ...this.#fields, truncated: true });
  }
}

/** Where a logger must not be trusted with how much it is given: the first `maxLines` calls, then one last word. */
export function limitedLog(log: Logger, maxLines: number): NodeLog {
  let lines = 0;
  const at = (level: LogLevel) => (message: string, fields?: LogFields) => {
    lines++;
    if (lines <= maxLines) log.log(level, message, fields);
    else if (lines === maxLines + 1) log.warn(`more than ${maxLines} log lines from one node; the rest is dropped`);
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function shorten(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength)}...`;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// JSON escapes C0 only. C1, line separators and the marks that reorder or hide text would still act on a terminal.
const invisible = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function escapeInvisible(line: string): string {
  return line.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
