/** What a secret's value is replaced by. */
const redacted = '[redacted]';

/** In log lines and error messages values of at least this many characters are replaced; shorter ones are too common. */
const minTextLength = 4;
/** In outputs, which are data, only values of at least this many: `admin` as a role is not the user name `admin`. */
const minOutputLength = 8;
/** Values remembered, the oldest forgotten first: rotated secrets stay covered for long, not for ever. */
export const maxValues = 2000;

/** Knows the values of the secrets that were read, and takes them out of what leaves the process. */
export class Redactor {
  readonly #values = new Set<string>();
  #text: RegExp | undefined;
  #output: RegExp | undefined;

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
    this.#text ??= patternOf(this.#values, minTextLength);
    return text.replace(this.#text, redacted);
  }

  /** The JSON text of an output with the values of secrets taken out of its strings and keys. */
  json(text: string): string {
    if (this.#values.size === 0) return text;
    this.#output ??= patternOf(this.#values, minOutputLength);
    const pattern = this.#output;
    if (!text.includes('\\') && text.search(pattern) < 0) return text;
    return JSON.stringify(redactValue(JSON.parse(text), pattern));
  }
}

function redactValue(value: unknown, pattern: RegExp): unknown {
  if (typeof value === 'string') return value.replace(pattern, redacted);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, pattern));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key.replace(pattern, redacted), redactValue(item, pattern)]),
  );
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
  if (lines.length > 1) forms.push(...lines.filter((line) => line.length >= 16));
  return forms;
}

function base64(text: string): string {
  const bytes = new TextEncoder().encode(text);
  // Without the padding: within `user:password` it would differ.
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')).replace(/=+$/, '');
}

/** Matches any of the values, longer ones first, so that a value within another does not leave the rest standing. */
function patternOf(values: ReadonlySet<string>, minLength: number): RegExp {
  const usable = [...values].filter((value) => value.length >= minLength).sort((a, b) => b.length - a.length);
  if (usable.length === 0) return /(?!)/g;
  return new RegExp(usable.map((value) => value.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|'), 'g');
}
