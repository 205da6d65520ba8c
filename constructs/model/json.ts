/** A JSON value: what crosses every boundary here (YAML in, Kubernetes API, MCP results). */
export type JsonValue = string | number | boolean | null | JsonValue[] | JsonObject;

/** A JSON object. A property may be `undefined` in memory; it is absent once serialized. */
export interface JsonObject {
  [key: string]: JsonValue | undefined;
}

/** True for a plain JSON object: not null, not an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * JSON text in canonical form: object keys sorted by code unit, no white space, absent properties left out.
 * Equal values give equal text, so a digest over it is stable (`spec-hash`).
 */
export function canonicalJson(value: JsonValue | undefined): string {
  if (value === undefined) return 'null';
  if (Array.isArray(value)) {
    let items = '';
    for (const item of value) items += `${items === '' ? '' : ','}${canonicalJson(item)}`;
    return `[${items}]`;
  }
  if (!isJsonObject(value)) return JSON.stringify(value);
  let members = '';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}
