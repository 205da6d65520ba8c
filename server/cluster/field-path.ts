import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';

/** One step into an object: a field, an item of a keyed list, or a member of a set. */
export type Step =
  | { readonly field: string }
  | { readonly key: Readonly<Record<string, JsonValue>> }
  | { readonly value: JsonValue };

export type FieldPath = readonly Step[];

/** As the API server writes it in conflicts: `.spec.containers[name="engine"].image`. */
export function formatPath(path: FieldPath): string {
  return path
    .map((step) => {
      if ('field' in step) return `.${step.field}`;
      if ('value' in step) return `[=${JSON.stringify(step.value)}]`;
      const pairs = Object.entries(step.key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
      return `[${pairs.join(',')}]`;
    })
    .join('');
}

/** The step of a key in `fieldsV1`: `f:name`, `k:{...}`, `v:...`; undefined for `.` and for indexes. */
export function parseStep(key: string): Step | undefined {
  const body = key.slice(2);
  if (key.startsWith('f:')) return { field: body };
  if (key.startsWith('v:')) return { value: JSON.parse(body) as JsonValue };
  if (key.startsWith('k:')) return { key: JSON.parse(body) as Record<string, JsonValue> };
  return undefined;
}

/** True for the list item that a key means; a key field that the item leaves out was filled in by a default. */
export function matchesKey(item: JsonValue, key: Readonly<Record<string, JsonValue>>): item is JsonObject {
  if (!isJsonObject(item)) return false;
  return Object.entries(key).every(([name, value]) => item[name] === undefined || item[name] === value);
}

/** A copy of `value` without what is at `path`; an object that becomes empty by it goes too, list items stay. */
export function withoutPath(value: JsonValue, path: FieldPath): JsonValue | undefined {
  const [step, ...rest] = path;
  if (!step) return undefined;
  if ('field' in step) {
    if (!isJsonObject(value) || value[step.field] === undefined) return value;
    const inner = withoutPath(value[step.field] ?? null, rest);
    const { [step.field]: _removed, ...others } = value;
    if (inner === undefined) return Object.keys(others).length === 0 ? undefined : others;
    return { ...value, [step.field]: inner };
  }
  if (!Array.isArray(value)) return value;
  const isMeant = (item: JsonValue) => ('key' in step ? matchesKey(item, step.key) : item === step.value);
  return value.flatMap((item) => {
    if (!isMeant(item)) return [item];
    const inner = withoutPath(item, rest);
    return inner === undefined ? [] : [inner];
  });
}
