/** What a secret's value is replaced by. */
const redacted = '[redacted]';

/** In log lines and error messages values of at least this many characters are replaced; shorter ones are too common. */
const minTextLength = 4;
/** In outputs, which are data, only values of at least this many: `admin` as a role is not the user name `admin`. */
const minOutputLength = 8;
/** Values remembered, the oldest forgotten first: rotated secrets stay covered for long, not for ever. */
export const maxValues = 2000;
/** Lines of one value that are remembered singly: a bundle of certificates must not displace all other secrets. */
const maxLines = 500;
/** Longest pattern, in characters of what it matches: V8 compiles none of some hundred thousand, and throws. */
const maxPatternLength = 20_000;

type Redact = (text: string) => string;

/** Knows the values of the secrets that were read, and takes them out of what leaves the process. */
export class Redactor {
  readonly #values = new Set<string>();
  #text: Redact | undefined;
  #output: Redact | undefined;

  /**
   * Remembers every string within `secret`: as it is, line by line where it has several, and as base64 or a URL part
   * would show it.
   */
  learn(secret: unknown): void {
    for (const value of stringsIn(secret)) {
      for (const form of formsOf(value)) this.#remember(form);
    }
  }

  #remember(form: string): void {
    if (form.length < minTextLength || this.#values.has(form)) return;
    if (this.#values.size >= maxValues) {
      const [oldest] = this.#values;
      if (oldest !== undefined) this.#values.delete(oldest);
    }
    this.#values.add(form);
    this.#text = undefined;
    this.#output = undefined;
  }

  /** `text` of a log line or message without the values of secrets. */
  text(text: string): string {
    if (this.#values.size === 0) return text;
    this.#text ??= redactOf(this.#values, minTextLength);
    return this.#text(text);
  }

  /** The JSON text of an output with the values of secrets taken out of its strings and keys. */
  json(text: string): string {
    if (this.#values.size === 0) return text;
    this.#output ??= redactOf(this.#values, minOutputLength);
    const redact = this.#output;
    if (!text.includes('\\') && redact(text) === text) return text;
    return JSON.stringify(redactValue(JSON.parse(text), redact));
  }
}

function redactValue(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [redact(key), redactValue(item, redact)]));
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const item of Object.values(value)) yield* stringsIn(item);
  }
}

function formsOf(value: string): string[] {
  const trimmed = value.trim();
  const forms = [value, trimmed, encodeURIComponent(value.toWellFormed()), base64(value)];
  const lines = trimmed.split(/\r?\n/);
  // Lines such as `-----BEGIN KEY-----` are no secret, but nothing is lost with them.
  if (lines.length > 1) forms.push(...lines.filter((line) => line.length >= 16).slice(0, maxLines));
  return forms;
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  // Without the padding: within `user:password` it would differ.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replace(/=+$/, '');
}

/** Replaces any of the values, longer ones first, so that a value within another does not leave the rest standing. */
function redactOf(values: ReadonlySet<string>, minLength: number): Redact {
  const usable = [...values].filter((value) => value.length >= minLength).sort((a, b) => b.length - a.length);
  const patterns: (string | RegExp)[] = usable.filter((value) => value.length > maxPatternLength);
  let alternatives: string[] = [];
  let length = 0;
  const flush = () => {
    if (alternatives.length > 0) patterns.push(new RegExp(alternatives.join('|'), 'g'));
    alternatives = [];
    length = 0;
  };
  for (const value of usable.slice(patterns.length)) {
    if (length + value.length > maxPatternLength) flush();
    alternatives.push(value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    length += value.length;
  }
  flush();
  return (text) => patterns.reduce((rest: string, pattern) => rest.replaceAll(pattern, redacted), text);
}
