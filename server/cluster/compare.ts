import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { type FieldPath, matchesKey, parseStep } from './field-path.ts';
import { appliedFields, childOf, isWhole } from './managed-fields.ts';
import { sameQuantity } from './quantity.ts';

/** One field in which a live object is not what we want. */
export interface Difference {
  readonly path: FieldPath;
  /** `value`: another value is live; `unowned`: we do not own the field (any more); `extra`: we own it and no longer want it. */
  readonly kind: 'value' | 'unowned' | 'extra';
  readonly ours?: JsonValue;
  readonly theirs?: JsonValue;
}

export interface CompareOptions {
  /** Field manager under which we apply. */
  readonly manager: string;
  /** Annotations that are none of the comparison's business (stamps). */
  readonly ignoredAnnotations?: ReadonlySet<string>;
}

/**
 * Where a live object differs from what we would apply. Two witnesses: the live values, and the set of fields that
 * the API server says we own (`managedFields`), which knows lists by their keys, drops what others have changed,
 * and shows what we set before and no longer want. Empty = an apply would change nothing.
 */
export function compareObject(desired: Manifest, live: Manifest, options: CompareOptions): Difference[] {
  const owned = appliedFields(live, options.manager);
  const found: Difference[] = [];
  const ignored = options.ignoredAnnotations ?? new Set<string>();
  const ours = body(desired, ignored);
  const theirs = body(live, ignored);
  visitObject(ours, theirs, owned ? withoutIgnored(owned, ignored) : undefined, [], found);
  return found;
}

const serverFields = new Set(['apiVersion', 'kind', 'status']);

/** What is compared: everything but identity, status and bookkeeping of the API server. */
function body(object: Manifest, ignored: ReadonlySet<string>): JsonObject {
  const { labels, annotations, finalizers, ownerReferences } = object.metadata;
  const kept = annotations && Object.fromEntries(Object.entries(annotations).filter(([key]) => !ignored.has(key)));
  const metadata: JsonObject = {
    ...(labels ? { labels } : {}),
    ...(kept && Object.keys(kept).length > 0 ? { annotations: kept } : {}),
    ...(Array.isArray(finalizers) ? { finalizers } : {}),
    ...(Array.isArray(ownerReferences) ? { ownerReferences } : {}),
  };
  const rest = Object.entries(object).filter(([key]) => key !== 'metadata' && !serverFields.has(key));
  return { ...(Object.fromEntries(rest) as JsonObject), ...(Object.keys(metadata).length > 0 ? { metadata } : {}) };
}

function withoutIgnored(owned: JsonObject, ignored: ReadonlySet<string>): JsonObject {
  const metadata = owned['f:metadata'];
  if (!isJsonObject(metadata)) return owned;
  const annotations = metadata['f:annotations'];
  if (!isJsonObject(annotations)) return owned;
  const kept = Object.fromEntries(Object.entries(annotations).filter(([key]) => !ignored.has(key.slice(2))));
  const { 'f:annotations': _replaced, ...others } = metadata;
  const inner = isWhole(kept) ? others : { ...others, 'f:annotations': kept };
  const { 'f:metadata': _outer, ...rest } = owned;
  return isWhole(inner) ? rest : { ...rest, 'f:metadata': inner };
}

function visit(
  ours: JsonValue,
  theirs: JsonValue | undefined,
  owned: JsonObject | undefined,
  path: FieldPath,
  found: Difference[],
): void {
  const nested = owned === undefined || !isWhole(owned);
  if (owned && nested && Array.isArray(ours)) {
    visitList(ours, theirs, owned, path, found);
    return;
  }
  if (nested && isJsonObject(ours) && (owned || (!isEmpty(ours) && isJsonObject(theirs)))) {
    visitObject(ours, theirs, owned, path, found);
    return;
  }
  // What Go leaves out when it is empty is there all the same if we own it; had others removed it, we would not.
  const equal = theirs === undefined ? owned !== undefined && isEmpty(ours) : sameValue(ours, theirs, path);
  if (!equal) found.push(difference('value', path, ours, theirs));
  else if (!owned) found.push(difference('unowned', path, ours, theirs));
}

function visitObject(
  ours: JsonObject,
  theirs: JsonValue | undefined,
  owned: JsonObject | undefined,
  path: FieldPath,
  found: Difference[],
): void {
  const live = isJsonObject(theirs) ? theirs : {};
  for (const [field, value] of Object.entries(ours)) {
    if (value === undefined || value === null) continue;
    const step = { field };
    visit(value, live[field], owned && childOf(owned, step), [...path, step], found);
  }
  for (const key of Object.keys(owned ?? {})) {
    const step = parseStep(key);
    if (!step || !('field' in step)) continue;
    const wanted = ours[step.field];
    if (wanted !== undefined && wanted !== null) continue;
    found.push(difference('extra', [...path, step], undefined, live[step.field]));
  }
}

function visitList(
  ours: readonly JsonValue[],
  theirs: JsonValue | undefined,
  owned: JsonObject,
  path: FieldPath,
  found: Difference[],
): void {
  const live = Array.isArray(theirs) ? theirs : [];
  const matched = new Set<number>();
  for (const key of Object.keys(owned)) {
    const step = parseStep(key);
    if (!step || 'field' in step) continue;
    const means = (item: JsonValue) => ('key' in step ? matchesKey(item, step.key) : item === step.value);
    const index = ours.findIndex((item, i) => !matched.has(i) && means(item));
    const mine = ours[index];
    const current = live.find(means);
    const here = [...path, step];
    if (mine === undefined) {
      found.push(difference('extra', here, undefined, current));
      continue;
    }
    matched.add(index);
    if (current === undefined) found.push(difference('value', here, mine, undefined));
    else if (isJsonObject(mine)) visitObject(mine, current, childOf(owned, step), here, found);
  }
  ours.forEach((item, i) => {
    if (!matched.has(i)) found.push(difference('unowned', path, item, undefined));
  });
}

function difference(
  kind: Difference['kind'],
  path: FieldPath,
  ours: JsonValue | undefined,
  theirs: JsonValue | undefined,
): Difference {
  return { path, kind, ...(ours === undefined ? {} : { ours }), ...(theirs === undefined ? {} : { theirs }) };
}

/** What Go's `omitempty` leaves out. */
function isEmpty(value: JsonValue): boolean {
  if (value === false || value === 0 || value === '' || value === null) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}

const quantityParents = new Set(['limits', 'requests', 'hard', 'default', 'defaultRequest', 'max', 'min']);

function isQuantity(path: FieldPath): boolean {
  const [parent, last] = path.slice(-2);
  if (last && 'field' in last && last.field === 'sizeLimit') return true;
  return parent !== undefined && 'field' in parent && quantityParents.has(parent.field);
}

/** Fields that the API server fills in inside values that are owned as a whole. */
const knownDefaults: ReadonlySet<string> = new Set(['protocol=TCP', 'apiVersion=v1']);

/**
 * Equal but for quantities written otherwise, lists left out where empty, and the known defaults. `{}` is not the
 * same as nothing here: in a NetworkPolicy it selects everything.
 */
function sameValue(ours: JsonValue | undefined, theirs: JsonValue | undefined, path: FieldPath): boolean {
  if (ours === theirs) return true;
  if (isNothing(ours) && isNothing(theirs)) return true;
  if (Array.isArray(ours) && Array.isArray(theirs)) {
    return ours.length === theirs.length && ours.every((item, i) => sameValue(item, theirs[i], path));
  }
  if (isJsonObject(ours) && isJsonObject(theirs)) {
    const fields = new Set([...Object.keys(ours), ...Object.keys(theirs)]);
    return [...fields].every((field) => {
      if (ours[field] === undefined && knownDefaults.has(`${field}=${theirs[field]}`)) return true;
      return sameValue(ours[field], theirs[field], [...path, { field }]);
    });
  }
  if (ours === undefined || theirs === undefined) return false;
  if (typeof ours === 'object' || typeof theirs === 'object') return false;
  return isQuantity(path) && sameQuantity(String(ours), String(theirs));
}

function isNothing(value: JsonValue | undefined): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
