import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { normalize, unknownField } from './fake-schema.ts';
import { applyOnto, owned } from './fake-ssa.ts';

/** Which object a request means. */
export interface Target {
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

export interface Change {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly collection: string;
  readonly object: JsonObject;
}

/** What an API server answers when it refuses. */
export class Refusal extends Error {
  readonly code: number;
  readonly reason: string;
  readonly causes: readonly object[];

  constructor(code: number, reason: string, message: string, causes: readonly object[] = []) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.causes = causes;
  }
}

const kinds: Readonly<Record<string, string>> = {
  namespaces: 'Namespace',
  configmaps: 'ConfigMap',
  secrets: 'Secret',
  services: 'Service',
  pods: 'Pod',
  events: 'Event',
  serviceaccounts: 'ServiceAccount',
  resourcequotas: 'ResourceQuota',
  limitranges: 'LimitRange',
  deployments: 'Deployment',
  replicasets: 'ReplicaSet',
  networkpolicies: 'NetworkPolicy',
  rolebindings: 'RoleBinding',
};

export interface WriteSettings {
  readonly manager: string;
  readonly dryRun: boolean;
  readonly force: boolean;
}

export function metaOf(object: JsonObject | undefined): JsonObject {
  return isJsonObject(object?.metadata) ? object.metadata : {};
}

/** By a finalizer: it stays, marked as going, until that is taken from it. */
function isHeld(object: JsonObject | undefined): boolean {
  const { finalizers } = metaOf(object);
  return Array.isArray(finalizers) && finalizers.length > 0;
}

function keyOf(target: Target): string {
  return `${target.plural}/${target.namespace ?? ''}/${target.name}`;
}

/** The objects, their versions and what happened to them. */
export class FakeStore {
  readonly #objects = new Map<string, JsonObject>();
  readonly history: Change[] = [];
  readonly listeners = new Set<(change: Change) => void>();
  version = 100;
  /** Versions up to this one are forgotten. */
  compacted = 0;

  kindOf(plural: string): string {
    const kind = kinds[plural];
    if (!kind) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
    return kind;
  }

  pluralOf(kind: string): string {
    const found = Object.entries(kinds).find(([, value]) => value === kind);
    if (!found) throw new Error(`the fake serves no ${kind}`);
    return found[0];
  }

  get(target: Target): JsonObject {
    const found = this.#objects.get(keyOf(target));
    if (!found) throw new Refusal(404, 'NotFound', `${target.plural} "${target.name}" not found`);
    return found;
  }

  list(plural: string, namespace: string | undefined): JsonObject[] {
    const prefix = namespace === undefined ? `${plural}/` : `${plural}/${namespace}/`;
    const found = [...this.#objects].filter(([key]) => key.startsWith(prefix));
    return found.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  create(target: Target, body: JsonObject, settings: WriteSettings): JsonObject {
    const unknown = unknownField(body);
    if (unknown) {
      const field = unknown.split('.').at(-1);
      const said = `cannot be handled: strict decoding error: unknown field "${field}"`;
      throw new Refusal(400, 'BadRequest', `${this.kindOf(target.plural)} in version "v1" ${said}`);
    }
    if (this.#objects.has(keyOf(target))) {
      throw new Refusal(409, 'AlreadyExists', `${target.plural} "${target.name}" already exists`);
    }
    this.#needNamespace(target);
    const object = this.#fresh(target, owned(normalize(body), settings.manager, this.#time()));
    return settings.dryRun ? object : this.save(target, object);
  }

  apply(
    target: Target,
    body: JsonObject,
    settings: WriteSettings,
  ): { readonly object: JsonObject; readonly created: boolean } {
    const unknown = unknownField(body);
    const named = `${target.namespace}/${target.name}; ${target.apiVersion}, Kind=${body.kind}`;
    if (unknown) {
      throw new Refusal(
        500,
        '',
        `failed to create typed patch object (${named}): ${unknown}: field not declared in schema`,
      );
    }
    const live = this.#objects.get(keyOf(target));
    const { uid, resourceVersion } = metaOf(body);
    const merged = applyOnto(live, body, {
      manager: settings.manager,
      force: settings.force,
      time: this.#time(),
    });
    if ('conflicts' in merged) {
      const said = merged.conflicts.map((c) => `${c.message}: ${c.field}`).join(', ');
      throw new Refusal(
        409,
        'Conflict',
        `Apply failed with ${merged.conflicts.length} conflict: ${said}`,
        merged.conflicts,
      );
    }
    if (!live) {
      if (uid) throw new Refusal(409, 'Conflict', `uid mismatch: ${uid}, and no existing object was found`);
      this.#needNamespace(target);
      // "1" means "must not exist", and nothing does: the API server creates it.
      const object = this.#fresh(target, merged.object);
      return { object: settings.dryRun ? object : this.save(target, object), created: true };
    }
    const current = metaOf(live);
    if (uid && uid !== current.uid) {
      const cause = { reason: 'FieldValueInvalid', field: 'metadata.uid', message: 'field is immutable' };
      throw new Refusal(422, 'Invalid', `${target.name} is invalid: metadata.uid: field is immutable`, [cause]);
    }
    if (resourceVersion && resourceVersion !== current.resourceVersion) {
      throw new Refusal(
        409,
        'Conflict',
        'the object has been modified; please apply your changes to the latest version',
      );
    }
    if (live.immutable === true && JSON.stringify(live.data) !== JSON.stringify(merged.object.data)) {
      throw new Refusal(422, 'Invalid', 'data: Forbidden: field is immutable when `immutable` is set');
    }
    const { uid: _uid, resourceVersion: _version, ...rest } = metaOf(merged.object);
    const kept = { uid: current.uid ?? '', resourceVersion: current.resourceVersion ?? '' };
    const object: JsonObject = { ...merged.object, metadata: { ...rest, ...kept } };
    const isSame = withoutTimes(object) === withoutTimes(live);
    if (isSame) return { object: live, created: false };
    const changed = JSON.stringify(object.spec) !== JSON.stringify(live.spec);
    if (changed && current.generation) metaOf(object).generation = Number(current.generation) + 1;
    return { object: settings.dryRun ? object : this.save(target, object), created: false };
  }

  delete(target: Target, preconditions: JsonObject, dryRun: boolean): JsonObject {
    const live = this.get(target);
    if (preconditions.uid && preconditions.uid !== metaOf(live).uid) {
      throw new Refusal(409, 'Conflict', 'Precondition failed: UID in precondition does not match');
    }
    if (dryRun) return live;
    if (isHeld(live)) {
      const metadata = { ...metaOf(live), deletionTimestamp: metaOf(live).deletionTimestamp ?? this.#time() };
      return this.save(target, { ...live, metadata });
    }
    this.#objects.delete(keyOf(target));
    this.#note('DELETED', target, { ...live, metadata: { ...metaOf(live), resourceVersion: String(++this.version) } });
    if (target.plural === 'namespaces') this.#empty(target.name);
    return live;
  }

  /** Stores an object under a new version and tells the watchers; one that is going goes once nobody holds it. */
  save(target: Target, object: JsonObject): JsonObject {
    const before = this.#objects.get(keyOf(target));
    const existed = before !== undefined;
    if (metaOf(object).deletionTimestamp !== undefined && isHeld(before) && !isHeld(object)) {
      this.#objects.set(keyOf(target), object);
      return this.delete(target, {}, false);
    }
    const metadata = { ...metaOf(object), resourceVersion: String(++this.version) };
    const stored: JsonObject = { ...object, apiVersion: target.apiVersion, kind: this.kindOf(target.plural), metadata };
    this.#objects.set(keyOf(target), stored);
    this.#note(existed ? 'MODIFIED' : 'ADDED', target, stored);
    return stored;
  }

  #empty(namespace: string): void {
    for (const [key, object] of this.#objects) {
      const [plural = '', place, name = ''] = key.split('/');
      if (place !== namespace) continue;
      this.delete({ apiVersion: String(object.apiVersion), plural, namespace, name }, {}, false);
    }
  }

  #note(type: Change['type'], target: Target, object: JsonObject): void {
    const change = { version: this.version, type, collection: target.plural, object };
    this.history.push(change);
    for (const listener of this.listeners) listener(change);
  }

  #needNamespace({ namespace }: Target): void {
    if (namespace === undefined) return;
    if (!this.#objects.has(`namespaces//${namespace}`)) {
      throw new Refusal(404, 'NotFound', `namespaces "${namespace}" not found`);
    }
  }

  #fresh(target: Target, object: JsonObject): JsonObject {
    const { uid: _uid, resourceVersion: _version, ...metadata } = metaOf(object);
    const hasGeneration = ['deployments', 'networkpolicies', 'replicasets'].includes(target.plural);
    const made = { uid: randomUUID(), creationTimestamp: this.#time(), ...(hasGeneration ? { generation: 1 } : {}) };
    const placed = target.namespace === undefined ? {} : { namespace: target.namespace };
    return { ...object, metadata: { ...metadata, ...placed, ...made } };
  }

  #time(): string {
    return new Date().toISOString().replace(/\.\d{3}Z$/, 'Z');
  }
}

function withoutTimes(object: JsonObject): string {
  const entries = metaOf(object).managedFields;
  const timeless = (Array.isArray(entries) ? entries : [])
    .filter(isJsonObject)
    .map(({ time: _time, ...rest }) => sorted(rest));
  const { managedFields: _fields, ...metadata } = metaOf(object);
  return JSON.stringify(
    sorted({ ...object, metadata: { ...metadata, owners: timeless.map((e) => JSON.stringify(e)).sort() } }),
  );
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
