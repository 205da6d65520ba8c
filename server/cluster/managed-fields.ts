import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { FieldPath } from './field-path.ts';

interface Entry {
  readonly manager: string;
  readonly operation: string;
  readonly apiVersion: string;
  readonly subresource: string;
  readonly fields: JsonObject;
}

function entriesOf(live: Manifest): Entry[] {
  const listed = live.metadata.managedFields;
  return (Array.isArray(listed) ? listed : []).filter(isJsonObject).map((entry) => ({
    manager: String(entry.manager ?? ''),
    operation: String(entry.operation ?? ''),
    apiVersion: String(entry.apiVersion ?? ''),
    subresource: String(entry.subresource ?? ''),
    fields: isJsonObject(entry.fieldsV1) ? entry.fieldsV1 : {},
  }));
}

/** What `manager` owns by server-side apply, as `fieldsV1`; undefined where it has applied nothing. */
export function appliedFields(live: Manifest, manager: string): JsonObject | undefined {
  const entry = entriesOf(live).find(
    (e) => e.manager === manager && e.operation === 'Apply' && e.subresource === '' && e.apiVersion === live.apiVersion,
  );
  return entry?.fields;
}

/** Names of the managers other than `manager` that own something at, above (as a whole) or below a path. */
export function otherOwners(live: Manifest, path: FieldPath, manager: string): string[] {
  const names = entriesOf(live)
    .filter((entry) => !(entry.manager === manager && entry.operation === 'Apply' && entry.subresource === ''))
    .filter((entry) => owns(entry.fields, path))
    .map((entry) => entry.manager);
  return [...new Set(names)];
}

/** What others than `manager` and its kin (`<manager>-…`) own, but by subresources: what controllers report or scale. */
export function othersFields(
  live: Manifest,
  manager: string,
): { readonly owner: string; readonly fields: JsonObject }[] {
  return entriesOf(live)
    .filter(
      (entry) => entry.manager !== manager && !entry.manager.startsWith(`${manager}-`) && entry.subresource === '',
    )
    .map((entry) => ({ owner: entry.manager, fields: entry.fields }));
}

/** True where `manager` owns something by create or update instead of apply. */
export function hasUpdated(live: Manifest, manager: string): boolean {
  return entriesOf(live).some((entry) => entry.manager === manager && entry.operation === 'Update');
}

/** True for a node of `fieldsV1` without anything below: the field is owned as a whole. */
export function isWhole(node: JsonObject): boolean {
  return Object.keys(node).every((key) => key === '.');
}

function owns(fields: JsonObject, path: FieldPath): boolean {
  let node: JsonObject = fields;
  for (const step of path) {
    if (node !== fields && isWhole(node)) return true;
    const child = childOf(node, step);
    if (!child) return false;
    node = child;
  }
  return true;
}

/** The node below `node` for one step; list keys are compared as values, since their text may order them otherwise. */
export function childOf(node: JsonObject, step: FieldPath[number]): JsonObject | undefined {
  if ('field' in step) return asNode(node[`f:${step.field}`]);
  if ('value' in step) return asNode(node[`v:${JSON.stringify(step.value)}`]);
  for (const [name, child] of Object.entries(node)) {
    if (!name.startsWith('k:')) continue;
    const key = JSON.parse(name.slice(2)) as Record<string, JsonValue>;
    const entries = Object.entries(step.key);
    if (entries.length === Object.keys(key).length && entries.every(([k, v]) => key[k] === v)) return asNode(child);
  }
  return undefined;
}

function asNode(value: JsonValue | undefined): JsonObject | undefined {
  return isJsonObject(value) ? value : undefined;
}
