import type { Fault } from '../model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { didYouMean } from '../model/similar.ts';
import { hasHiddenCharactersInProse } from '../model/text.ts';
import { childPath, type SourceDocument, shorten } from './yaml-source.ts';

/** Most faults that are listed; a text with more is hopeless anyway, and answers stay bounded. */
const maxFaults = 100;

export interface TextRule {
  /** Longest text. Default 253. */
  readonly max?: number;
  /** What the text must look like; `allowed` says it in words. */
  readonly pattern?: RegExp;
  readonly allowed?: string;
  /** Line breaks are fine. Default false. */
  readonly prose?: boolean;
  /** Keep the value out of the fault: it may be a secret. Default false. */
  readonly hideValue?: boolean;
}

/**
 * Reads one document and gathers faults instead of throwing: each method answers the value, or undefined
 * with a fault noted, so that one pass tells everything that is wrong.
 */
export class Reader {
  readonly faults: Fault[];
  readonly #source: SourceDocument;

  constructor(source: SourceDocument) {
    this.#source = source;
    this.faults = [...source.faults];
  }

  /** True once no further fault is listed: looking for hints is lost time then. */
  get full(): boolean {
    return this.faults.length >= maxFaults;
  }

  /** Notes a fault at a path, with the place in the text and the value found there. */
  fault(path: string, message: string, rest: Partial<Fault> & { part?: 'key' | 'value' } = {}): void {
    if (this.full) return;
    const { part = 'value', ...details } = rest;
    this.faults.push({ path, message, ...details, ...this.#nearest(path, part) });
  }

  // A value that is missing has no place of its own: the nearest one around it is where it belongs.
  #nearest(path: string, part: 'key' | 'value'): { line: number; column: number } | undefined {
    for (let at = path; ; at = at.slice(0, Math.max(0, at.search(/(?:\.[^.[\]]*|\[[^[\]]*\]|^[^.[\]]*)$/)))) {
      const position = this.#source.position(at, at === path ? part : 'key');
      if (position || at === '') return position;
    }
  }

  /** The value at a path must be a mapping with these keys and no other. */
  fields(value: JsonValue | undefined, path: string, keys: readonly string[]): JsonObject | undefined {
    const object = this.mapping(value, path);
    if (!object) return undefined;
    for (const key of Object.keys(object)) {
      if (keys.includes(key) || this.full) continue;
      const hint = didYouMean(key, keys);
      this.fault(childPath(path, key), 'is no known key', {
        found: shorten(key),
        allowed: keys.join(', '),
        part: 'key',
        ...(hint === undefined ? {} : { hint }),
      });
    }
    return object;
  }

  mapping(value: JsonValue | undefined, path: string): JsonObject | undefined {
    if (isJsonObject(value)) return value;
    this.wrongType(path, value, 'a mapping');
    return undefined;
  }

  list(
    value: JsonValue | undefined,
    path: string,
    { max = 200 }: { readonly max?: number } = {},
  ): readonly JsonValue[] {
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.wrongType(path, value, 'a list');
      return [];
    }
    if (value.length > max) {
      this.fault(path, 'has too many entries', { found: value.length, allowed: `at most ${max}` });
      return [];
    }
    return value;
  }

  text(value: JsonValue | undefined, path: string, rule: TextRule = {}): string | undefined {
    if (typeof value !== 'string') {
      this.wrongType(path, value, rule.allowed ?? 'text', rule);
      return undefined;
    }
    const { max = 253, pattern, allowed } = rule;
    const found = rule.hideValue ? {} : { found: shorten(value) };
    const words = allowed === undefined ? {} : { allowed };
    if (value.length > max) {
      this.fault(path, `is ${value.length} characters long`, {
        ...found,
        allowed: allowed ?? `at most ${max} characters`,
      });
      return undefined;
    }
    if (hasHiddenCharactersInProse(value) || (!rule.prose && /[\n\r\t]/.test(value))) {
      this.fault(path, 'holds control or invisible characters', { ...found, allowed: allowed ?? 'printable text' });
      return undefined;
    }
    if (pattern && !pattern.test(value)) {
      this.fault(path, 'is not what is allowed here', { ...found, ...words });
      return undefined;
    }
    return value;
  }

  integer(
    value: JsonValue | undefined,
    path: string,
    range: { readonly min: number; readonly max: number },
  ): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max) return value;
    this.wrongType(path, value, `a whole number from ${range.min} to ${range.max}`);
    return undefined;
  }

  oneOf<T extends string>(value: JsonValue | undefined, path: string, choices: readonly T[]): T | undefined {
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    const hint = typeof value === 'string' ? didYouMean(value, choices) : undefined;
    this.wrongType(path, value, choices.join(', '), hint === undefined ? {} : { hint });
    return undefined;
  }

  /** Notes that a value is missing, or of another kind than `allowed` says. */
  wrongType(
    path: string,
    value: JsonValue | undefined,
    allowed: string,
    { hint, hideValue = false }: { readonly hint?: string; readonly hideValue?: boolean } = {},
  ): void {
    if (value === undefined) {
      this.fault(path, 'is missing', { allowed, ...(hint === undefined ? {} : { hint }) });
      return;
    }
    // 1.10 is the number 1.1 by now: what was written tells more.
    const written = typeof value === 'number' ? this.#source.written(path) : undefined;
    const found = hideValue
      ? {}
      : { found: written === undefined || written === String(value) ? summary(value) : written };
    this.fault(path, 'is not what is allowed here', { ...found, allowed, ...(hint === undefined ? {} : { hint }) });
  }
}

function summary(value: JsonValue): JsonValue {
  if (typeof value === 'string') return shorten(value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return isJsonObject(value) ? 'a mapping' : value;
}
