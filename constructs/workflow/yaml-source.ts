import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Fault } from '../model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import { hasHiddenCharacters, isPrototypeName, showHidden } from '../model/text.ts';

/** Longest YAML text that is parsed, in UTF-16 code units. */
const maxYamlLength = 131_072;
/** Most values that one document may hold once its aliases are expanded. */
const maxValues = 20_000;
const maxDepth = 32;
const maxKeyLength = 253;
/** Longest path of a value, in characters: each value's is remembered, with its place. */
const maxPathLength = 2000;
const maxSyntaxFaults = 20;
/** Most faults of all other kinds; a document with more is hopeless anyway. */
const maxDocumentFaults = 100;

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A document as plain JSON, and where each value stands in its text. */
export interface SourceDocument {
  /** Undefined where the text could not be read at all; `faults` then says why. */
  readonly value: JsonValue | undefined;
  readonly faults: readonly Fault[];
  /** Where the value (or the key that leads to it) of this path stands; undefined for input that was no text. */
  position(path: string, part?: 'value' | 'key'): Position | undefined;
  /** The value as it was written: `1.0`, where `value` holds the number 1. */
  written(path: string): string | undefined;
}

const plainKey = /^[A-Za-z_][-A-Za-z0-9_]*$/;

/** Path of a member: `nodes.fetch`, `contract.dependencies["a b"]`, `edges[2]`. */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  if (!plainKey.test(key)) return `${path}[${JSON.stringify(shorten(key))}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** At most `limit` characters of a text, with an ellipsis where it was cut; invisible characters as escapes. */
export function shorten(text: string, limit = 80): string {
  return showHidden(text.length <= limit ? text : `${text.slice(0, limit)}…`);
}

/** Faults that any document may have, whatever it means: hostile keys, values that JSON has not, sizes. */
class Conversion {
  readonly faults: Fault[] = [];
  readonly positions = new Map<string, number>();
  readonly keyPositions = new Map<string, number>();
  readonly sources = new Map<string, string>();
  #values = 0;
  /** An object may then be too deep to be written as text, too. */
  tooDeep = false;

  note(fault: Fault): void {
    if (this.faults.length < maxDocumentFaults) this.faults.push(fault);
  }

  /** True once the document is larger than any workflow: what was read of it means nothing. */
  get overflown(): boolean {
    return this.#values > maxValues;
  }

  /** False, with one fault, once the document is larger than any workflow is. */
  admit(path: string, depth: number): boolean {
    this.#values += 1;
    if (depth > maxDepth || path.length > maxPathLength) {
      const allowed = depth > maxDepth ? `at most ${maxDepth} levels` : 'shorter keys';
      this.note({ path: shorten(path, maxKeyLength), message: 'is nested too deeply', allowed });
      this.tooDeep = true;
      return false;
    }
    if (this.#values === maxValues + 1) {
      const allowed = `at most ${maxValues} values, aliases expanded`;
      this.note({ path: '', message: 'holds too many values', allowed });
    }
    return this.#values <= maxValues;
  }

  admitKey(path: string, key: string): boolean {
    if (key.length > maxKeyLength) {
      const allowed = `at most ${maxKeyLength} characters`;
      this.note({ path: shorten(path, maxKeyLength), message: 'is too long a key', found: shorten(key), allowed });
      return false;
    }
    if (isPrototypeName(key)) {
      this.note({ path, message: 'is a name that JavaScript reserves for prototypes', found: shorten(key) });
      return false;
    }
    if (hasHiddenCharacters(key)) {
      this.note({ path, message: 'is a key with control or invisible characters', found: shorten(key) });
      return false;
    }
    return true;
  }
}

/** The document behind an object that was given instead of text: checked for the same hostile shapes, no positions. */
export function sourceOfObject(input: JsonObject): SourceDocument {
  const conversion = new Conversion();
  const copy = copyValue(conversion, input, { path: '', depth: 0 });
  const value = conversion.overflown || conversion.tooDeep ? undefined : copy;
  return { value, faults: conversion.faults, position: () => undefined, written: () => undefined };
}

interface Place {
  readonly path: string;
  readonly depth: number;
}

function copyValue(conversion: Conversion, value: unknown, { path, depth }: Place): JsonValue | undefined {
  if (!conversion.admit(path, depth)) return undefined;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) {
    return value.map(
      (item, index) => copyValue(conversion, item, { path: childPath(path, index), depth: depth + 1 }) ?? null,
    );
  }
  if (isJsonObject(value)) {
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) {
      const child = childPath(path, key);
      if (value[key] === undefined || !conversion.admitKey(child, key)) continue;
      copy[key] = copyValue(conversion, value[key], { path: child, depth: depth + 1 });
    }
    return copy;
  }
  conversion.note({ path, message: 'is no JSON value', found: typeof value });
  return undefined;
}

/** Reads YAML 1.2 (core schema): every syntax fault with its place, aliases bounded, duplicate and hostile keys refused. */
export function sourceOfYaml(text: string): SourceDocument {
  const none = { position: () => undefined, written: () => undefined };
  if (text.length > maxYamlLength) {
    const message = `is ${text.length} characters long`;
    return { value: undefined, faults: [{ path: '', message, allowed: `at most ${maxYamlLength}` }], ...none };
  }
  if (isNestedAbsurdly(text)) {
    return {
      value: undefined,
      faults: [{ path: '', message: 'is nested too deeply', allowed: `at most ${maxDepth} levels` }],
      ...none,
    };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Looked at below: the reader's own way compares every key with every other one.
    uniqueKeys: false,
    logLevel: 'error',
    resolveKnownTags: false,
  });
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const syntax = document.errors.slice(0, maxSyntaxFaults).map((error): Fault => {
    const message = `is not valid YAML: ${firstLine(error.message)}`;
    const found = shorten(/^\S[^\s:]*/.exec(text.slice(error.pos[0]))?.[0] ?? '', 40);
    return { path: '', message, ...(found === '' ? {} : { found }), ...at(error.pos[0]) };
  });
  if (syntax.length > 0) return { value: undefined, faults: syntax, ...none };

  const conversion = new Conversion();
  const targets = aliasTargets(document);
  const convert = (node: unknown, { path, depth }: Place, open: readonly Node[]): JsonValue | undefined => {
    if (!conversion.admit(path, depth)) return undefined;
    const target = isAlias(node) ? targets.get(node) : node;
    if (isAlias(node) && (target === undefined || open.includes(target as Node))) {
      conversion.note({
        path,
        message: 'is an alias that contains itself, or names no anchor',
        found: node.source,
      });
      return undefined;
    }
    if (isScalar(target)) {
      if (target.range) conversion.positions.set(path, target.range[0]);
      if (target.source !== undefined) conversion.sources.set(path, target.source);
      const value: unknown = target.value;
      if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
      if (typeof value === 'number' && Number.isFinite(value)) return value;
      conversion.note({ path, message: 'is no JSON value', found: shorten(String(value)) });
      return undefined;
    }
    if (isSeq(target)) {
      if (target.range) conversion.positions.set(path, target.range[0]);
      const inside = [...open, target];
      return target.items.map(
        (item, index) => convert(item, { path: childPath(path, index), depth: depth + 1 }, inside) ?? null,
      );
    }
    if (isMap(target)) {
      if (target.range) conversion.positions.set(path, target.range[0]);
      const inside = [...open, target];
      const object: JsonObject = {};
      for (const { key, value } of target.items) {
        const name = isScalar(key) ? (typeof key.value === 'string' ? key.value : key.source) : undefined;
        const offset = isScalar(key) ? key.range?.[0] : target.range?.[0];
        if (name === undefined) {
          conversion.note({ path, message: 'has a key that is no plain text' });
          continue;
        }
        const child = childPath(path, name);
        if (offset !== undefined && name.length <= maxKeyLength) conversion.keyPositions.set(child, offset);
        if (!conversion.admitKey(child, name)) continue;
        // As names, since that is what they become: `true` and "true" are one key, and the last would win unseen.
        if (Object.hasOwn(object, name)) {
          const message = 'the same key stands twice in one mapping';
          conversion.note({ path: '', message, found: shorten(name, 40), ...(offset === undefined ? {} : at(offset)) });
          continue;
        }
        object[name] = value === null ? null : convert(value, { path: child, depth: depth + 1 }, inside);
      }
      return object;
    }
    return null;
  };
  const root = convert(document.contents, { path: '', depth: 0 }, []);
  const value = conversion.overflown ? undefined : root;
  const position = (path: string, part: 'value' | 'key' = 'value'): Position | undefined => {
    const { positions, keyPositions } = conversion;
    const offset =
      part === 'key'
        ? (keyPositions.get(path) ?? positions.get(path))
        : (positions.get(path) ?? keyPositions.get(path));
    return offset === undefined ? undefined : at(offset);
  };
  const found = conversion.faults.map(
    (fault): Fault => (fault.line === undefined ? { ...fault, ...position(fault.path, 'key') } : fault),
  );
  return { value, faults: found, position, written: (path) => conversion.sources.get(path) };
}

/** What each alias stands for, in one pass: the reader's own way walks the whole document for each of them. */
function aliasTargets(document: Document): Map<Alias, Node | undefined> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Alias: (_key, alias) => void targets.set(alias, anchors.get(alias.source)),
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** More open brackets than any workflow has: the YAML reader would recurse into them for seconds before it gives up. */
const maxOpenBrackets = 500;

function isNestedAbsurdly(text: string): boolean {
  let open = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    open += bracket === '[' || bracket === '{' ? 1 : -1;
    if (open > maxOpenBrackets) return true;
  }
  return /^ *(?:[-?] +){40}/m.test(text);
}

function firstLine(text: string): string {
  return shorten(text.split('\n', 1)[0] ?? text, 160);
}
