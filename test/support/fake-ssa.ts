import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { isWholeValue, keyDefault, listKeysOf, normalize } from './fake-schema.ts';

/** Server-side apply as far as the fake needs it: who owns which field, conflicts, merge, removal. */

type Path = readonly string[];

interface Entry {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  time: string;
  fieldsType: 'FieldsV1';
  fieldsV1: JsonObject;
}

export interface FieldConflictCause {
  readonly reason: 'FieldManagerConflict';
  readonly field: string;
  readonly message: string;
}

const identity = new Set([
  'name',
  'namespace',
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'generation',
  'managedFields',
  'deletionTimestamp',
]);

function stepFor(item: JsonValue, keys: readonly string[]): string {
  const object = isJsonObject(item) ? item : {};
  return `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, object[key] ?? keyDefault(key)])))}`;
}

/** Paths of all leaves of an object, with a `.` leaf for each item of a keyed list. */
function leavesOf(value: JsonValue, path: Path = []): Path[] {
  const keys = Array.isArray(value) ? listKeysOf(path) : undefined;
  if (keys && Array.isArray(value)) {
    return value.flatMap((item) => {
      const here = [...path, stepFor(item, keys)];
      return [[...here, '.'], ...leavesOf(item, here)];
    });
  }
  if (!isJsonObject(value) || Object.keys(value).length === 0 || isWholeValue(path)) return [path];
  return Object.entries(value).flatMap(([field, inner]) => {
    if (inner === undefined || inner === null) return [];
    if (path.length === 0 && ['apiVersion', 'kind', 'status'].includes(field)) return [];
    if (path.length === 1 && path[0] === 'f:metadata' && identity.has(field)) return [];
    return leavesOf(inner, [...path, `f:${field}`]);
  });
}

function treeOf(paths: readonly Path[]): JsonObject {
  const root: JsonObject = {};
  for (const path of paths) {
    let node = root;
    for (const step of path) {
      const next = isJsonObject(node[step]) ? node[step] : {};
      node[step] = next;
      node = next;
    }
  }
  return root;
}

function pathsOf(tree: JsonObject, path: Path = []): Path[] {
  const entries = Object.entries(tree);
  if (entries.length === 0) return path.length === 0 ? [] : [path];
  return entries.flatMap(([step, inner]) => pathsOf(isJsonObject(inner) ? inner : {}, [...path, step]));
}

function valueAt(value: JsonValue | undefined, path: Path): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((current, step) => {
    if (step === '.') return current;
    if (step.startsWith('f:')) return isJsonObject(current) ? current[step.slice(2)] : undefined;
    const keys = Object.keys(JSON.parse(step.slice(2)));
    return Array.isArray(current) ? current.find((item) => stepFor(item, keys) === step) : undefined;
  }, value);
}

function remove(value: JsonValue, path: Path): void {
  const [step = '', ...rest] = path;
  if (step.startsWith('f:') && isJsonObject(value)) {
    const field = step.slice(2);
    const inner = value[field];
    if (rest.length === 0) delete value[field];
    else if (inner !== undefined && inner !== null) {
      remove(inner, rest);
      if (isJsonObject(inner) && Object.keys(inner).length === 0) delete value[field];
    }
  } else if (step.startsWith('k:') && Array.isArray(value)) {
    const keys = Object.keys(JSON.parse(step.slice(2)));
    const index = value.findIndex((item) => stepFor(item, keys) === step);
    const item = value[index];
    if (item === undefined) return;
    if (rest[0] === '.') value.splice(index, 1);
    else remove(item, rest);
  }
}

function merge(live: JsonValue | undefined, applied: JsonValue, path: Path): JsonValue {
  const keys = Array.isArray(applied) ? listKeysOf(path) : undefined;
  if (keys && Array.isArray(applied) && Array.isArray(live)) {
    const result = [...live];
    for (const item of applied) {
      const step = stepFor(item, keys);
      const index = result.findIndex((other) => stepFor(other, keys) === step);
      if (index < 0) result.push(item);
      else result[index] = merge(result[index], item, [...path, step]);
    }
    return result;
  }
  if (!isJsonObject(applied) || !isJsonObject(live) || isWholeValue(path)) return applied;
  const merged: JsonObject = { ...live };
  for (const [field, inner] of Object.entries(applied)) {
    if (inner !== undefined && inner !== null) merged[field] = merge(live[field], inner, [...path, `f:${field}`]);
  }
  return merged;
}

function display(path: Path): string {
  return path
    .filter((step) => step !== '.')
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      const pairs = Object.entries(JSON.parse(step.slice(2)) as JsonObject);
      return `[${pairs.map(([key, value]) => `${key}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}

function entriesOf(object: JsonObject): Entry[] {
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return (Array.isArray(metadata.managedFields) ? metadata.managedFields : []) as JsonValue as Entry[] & JsonValue;
}

function withEntries(object: JsonObject, entries: readonly Entry[]): JsonObject {
  const kept = entries.filter((entry) => Object.keys(entry.fieldsV1).length > 0);
  const metadata = isJsonObject(object.metadata) ? object.metadata : {};
  return { ...object, metadata: { ...metadata, managedFields: kept.map((entry) => ({ ...entry })) } };
}

function newEntry(
  object: JsonObject,
  manager: string,
  operation: Entry['operation'],
  paths: readonly Path[],
  time: string,
): Entry {
  return {
    manager,
    operation,
    apiVersion: String(object.apiVersion),
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: treeOf(paths),
  };
}

const same = (a: JsonValue | undefined, b: JsonValue | undefined) => JSON.stringify(a) === JSON.stringify(b);
const keyOf = (path: Path) => path.join('\u0000');

/** A created or updated object with everything owned by who sent it. */
export function owned(object: JsonObject, manager: string, time: string): JsonObject {
  return withEntries(object, [newEntry(object, manager, 'Update', leavesOf(object), time)]);
}

/** The outcome of an apply: the merged object, or the conflicts. */
export function applyOnto(
  live: JsonObject | undefined,
  sent: JsonObject,
  options: { readonly manager: string; readonly force: boolean; readonly time: string },
): { readonly object: JsonObject } | { readonly conflicts: readonly FieldConflictCause[] } {
  const { manager, force, time } = options;
  // What was sent is owned; what is stored has its defaults and its notation.
  const wanted = leavesOf(sent);
  const applied = normalize(sent);
  const entries = live ? entriesOf(live) : [];
  const mine = entries.find((entry) => entry.manager === manager && entry.operation === 'Apply');
  const others = entries.filter((entry) => entry !== mine);
  const conflicts: FieldConflictCause[] = [];
  const cleared = others.map((entry) => {
    const paths = pathsOf(entry.fieldsV1);
    const robbed = paths.filter((path) => {
      if (path.at(-1) === '.' || !wanted.some((other) => keyOf(other) === keyOf(path))) return false;
      return !same(valueAt(live, path), valueAt(applied, path));
    });
    const message = `conflict with "${entry.manager}" using ${entry.apiVersion}`;
    conflicts.push(
      ...robbed.map((path) => ({ reason: 'FieldManagerConflict' as const, field: display(path), message })),
    );
    const gone = new Set(robbed.map(keyOf));
    return { ...entry, fieldsV1: treeOf(paths.filter((path) => !gone.has(keyOf(path)))) };
  });
  if (conflicts.length > 0 && !force) return { conflicts };
  const merged = normalize(structuredClone(live ? merge(live, sent, []) : sent) as JsonObject);
  const stays = new Set([...wanted, ...cleared.flatMap((entry) => pathsOf(entry.fieldsV1))].map(keyOf));
  const dropped = mine ? pathsOf(mine.fieldsV1).filter((path) => !stays.has(keyOf(path))) : [];
  // Items of keyed lists go after their fields, so that the item is still found by its key.
  for (const path of [...dropped].sort((a, b) => Number(a.at(-1) === '.') - Number(b.at(-1) === '.'))) {
    if (path.at(-1) !== '.' && isKeyField(path)) continue;
    remove(merged, path);
  }
  return { object: withEntries(merged, [newEntry(merged, manager, 'Apply', wanted, time), ...cleared]) };
}

/** The field that tells an item of a list apart goes only with its item. */
function isKeyField(path: Path): boolean {
  const item = path.at(-2) ?? '';
  const field = path.at(-1) ?? '';
  return item.startsWith('k:') && field.slice(2) in (JSON.parse(item.slice(2)) as JsonObject);
}
