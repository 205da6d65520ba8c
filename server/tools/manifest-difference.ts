import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { childPath, shorten } from '../../constructs/workflow/yaml-source.ts';

/** One field in which a given set is not the rendering. Values are never repeated: what was sent may hold a secret. */
export interface ManifestDifference extends JsonObject {
  /** `Kind/namespace/name`, shortened and with hidden characters shown. */
  readonly object: string;
  /** Path of the field; empty for the object as a whole. */
  readonly field: string;
  /** What is wrong with it. */
  readonly message: string;
}

/**
 * Every field in which the given objects differ from ours: objects are matched by kind and name, so that a foreign
 * namespace or apiVersion is told as the field that it is.
 */
export function manifestDifferences(given: readonly Manifest[], ours: readonly Manifest[]): ManifestDifference[] {
  const wanted = new Map(ours.map((manifest) => [keyOf(manifest), manifest]));
  const kinds = [...new Set(ours.map(({ kind }) => kind))].join(', ');
  const seen = new Set<string>();
  const found: ManifestDifference[] = [];
  for (const manifest of given) {
    const key = keyOf(manifest);
    const object = objectText(manifest);
    const same = wanted.get(key);
    if (same === undefined) found.push(stranger(manifest, object, ours, kinds));
    else if (seen.has(key)) found.push({ object, field: 'metadata.name', message: 'is given twice' });
    else found.push(...fieldsOf(object, manifest, same));
    seen.add(key);
  }
  for (const manifest of ours) {
    if (!seen.has(keyOf(manifest))) found.push({ object: objectText(manifest), field: '', message: 'is missing' });
  }
  return found;
}

function keyOf({ kind, metadata }: Manifest): string {
  return JSON.stringify([kind, metadata.name]);
}

/** An object as it is printed, whatever its name holds. */
export function objectText(manifest: Manifest): string {
  return shorten(describeObject(manifest), 200);
}

function stranger({ kind }: Manifest, object: string, ours: readonly Manifest[], kinds: string): ManifestDifference {
  return ours.some((manifest) => manifest.kind === kind)
    ? { object, field: 'metadata.name', message: 'is no object that this source renders to' }
    : { object, field: 'kind', message: `is none that a tentacle renders to (${kinds})` };
}

function fieldsOf(object: string, given: Manifest, ours: Manifest): ManifestDifference[] {
  const found: ManifestDifference[] = [];
  visit(given as JsonObject, ours as JsonObject, '', (field, message) => found.push({ object, field, message }));
  return found;
}

type Tell = (field: string, message: string) => void;

function visit(given: JsonValue, ours: JsonValue, path: string, tell: Tell): void {
  if (isJsonObject(given) && isJsonObject(ours)) {
    for (const key of [...new Set([...Object.keys(given), ...Object.keys(ours)])].sort()) {
      visitMember(ownOf(given, key), ownOf(ours, key), childPath(path, key), tell);
    }
    return;
  }
  if (Array.isArray(given) && Array.isArray(ours)) {
    for (let index = 0; index < Math.max(given.length, ours.length); index += 1) {
      visitMember(given[index], ours[index], childPath(path, index), tell);
    }
    return;
  }
  if (canonicalJson(given) !== canonicalJson(ours)) tell(path, 'is not what the source renders to');
}

function visitMember(given: JsonValue | undefined, ours: JsonValue | undefined, path: string, tell: Tell): void {
  if (given === undefined && ours === undefined) return;
  if (ours === undefined) tell(path, 'is not in what the source renders to');
  else if (given === undefined) tell(path, 'is missing');
  else visit(given, ours, path, tell);
}

/** Only what is the object's own: a key may be called `constructor`. */
function ownOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
