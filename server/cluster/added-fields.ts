import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { type FieldPath, matchesKey, parseStep, type Step, withoutPath } from './field-path.ts';
import { isWhole, othersFields } from './managed-fields.ts';

/** A field of the spec that is no part of a set. */
export interface AddedField {
  readonly path: FieldPath;
  readonly owner: string;
  readonly theirs: JsonValue;
}

/**
 * What others have put beside what a set names: one more container, a volume, an address. An apply neither sees nor
 * removes it, since it is none of our fields; that somebody owns it tells it from a default of the API server.
 */
export function addedFields(wanted: Manifest, live: Manifest, manager: string): AddedField[] {
  const found: AddedField[] = [];
  for (const { owner, fields } of othersFields(live, manager)) {
    const spec = fields['f:spec'];
    const add = (path: FieldPath, theirs: JsonValue) => {
      const isKnown = found.some((one) => JSON.stringify(one.path) === JSON.stringify(path));
      if (!isKnown) found.push({ path, owner, theirs });
    };
    if (isJsonObject(spec))
      visit({ owned: spec, ours: wanted.spec, theirs: live.spec, path: [{ field: 'spec' }] }, add);
  }
  return found;
}

/** A live object as it was before anybody added to it. */
export function withoutAdded(live: Manifest, added: readonly AddedField[]): Manifest {
  const { metadata, ...rest } = live;
  const spec = added.reduce<JsonValue | undefined>(
    (value, { path }) => (value === undefined ? undefined : withoutPath(value, path.slice(1))),
    rest.spec,
  );
  return { ...rest, metadata, ...(isJsonObject(spec) ? { spec } : {}) };
}

interface Place {
  readonly owned: JsonObject;
  readonly ours: JsonValue | undefined;
  readonly theirs: JsonValue | undefined;
  readonly path: FieldPath;
}

function visit({ owned, ours, theirs, path }: Place, add: (path: FieldPath, theirs: JsonValue) => void): void {
  for (const [key, child] of Object.entries(owned)) {
    const step = parseStep(key);
    if (!step || !isJsonObject(child) || isRestart(step)) continue;
    const current = memberOf(theirs, step);
    if (current === undefined) continue;
    const wanted = memberOf(ours, step) ?? (isAnnotations(step) ? {} : undefined);
    const here = [...path, step];
    if (wanted === undefined) add(here, current);
    else if (!isWhole(child)) visit({ owned: child, ours: wanted, theirs: current, path: here }, add);
  }
}

function memberOf(parent: JsonValue | undefined, step: Step): JsonValue | undefined {
  if ('field' in step)
    return isJsonObject(parent) && Object.hasOwn(parent, step.field) ? parent[step.field] : undefined;
  if (!Array.isArray(parent)) return undefined;
  return parent.find((item) => ('key' in step ? matchesKey(item, step.key) : item === step.value));
}

// Looked at one by one: of a restart by kubectl nothing stays but its time.
function isAnnotations(step: Step): boolean {
  return 'field' in step && step.field === 'annotations';
}

function isRestart(step: Step): boolean {
  return 'field' in step && step.field === 'kubectl.kubernetes.io/restartedAt';
}
