import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isEnclaveName } from '../../constructs/model/names.ts';
import type { Client } from './client.ts';
import { pause } from './pause.ts';
import type { ListQuery } from './reader.ts';
import { watch } from './watch.ts';

/**
 * Deployments and Namespaces of ours, held by watches: for reads and for decisions over reads, never over writes.
 * Objects are trimmed: no managedFields, no pod template but its containers' names and images.
 */
export interface ClusterCache {
  /** Starts the watches; resolves when both are filled or the deadline (default 10 000 ms) has passed. */
  start(options?: { readonly timeoutMs?: number }): Promise<void>;
  /** True once both have been filled. */
  readonly ready: boolean;
  /** Milliseconds since the API server was last heard of on the staler watch; Infinity before `ready`. */
  readonly staleMs: number;
  /** Namespaces that are enclaves, sorted by name. */
  enclaves(): readonly Manifest[];
  enclave(name: string): Manifest | undefined;
  /** Deployments of tentacles, sorted by namespace and name; of one enclave where named. */
  deployments(enclave?: string): readonly Manifest[];
  deployment(enclave: string, name: string): Manifest | undefined;
  stop(): void;
}

export interface CacheConfig {
  readonly now: () => number;
  readonly random: () => number;
}

const pollMs = 20;
const defaultStartMs = 10_000;

/** One watched collection: bounded by the list's own bound, trimmed on the way in. */
class Collection {
  readonly #query: ListQuery;
  readonly #now: () => number;
  readonly #objects = new Map<string, Manifest>();
  filled = false;
  heardAt = Number.NEGATIVE_INFINITY;

  constructor(query: ListQuery, now: () => number) {
    this.#query = query;
    this.#now = now;
  }

  follow(client: Client, signal: AbortSignal, random: () => number): Promise<void> {
    const handlers = {
      reset: (items: readonly Manifest[]) => {
        this.#objects.clear();
        for (const item of items) this.#objects.set(keyOf(item), trim(item));
        this.filled = true;
      },
      changed: (object: Manifest) => void this.#objects.set(keyOf(object), trim(object)),
      deleted: (object: Manifest) => void this.#objects.delete(keyOf(object)),
      heard: () => {
        this.heardAt = this.#now();
      },
    };
    return watch(client, this.#query, handlers, { signal, random });
  }

  get(namespace: string, name: string): Manifest | undefined {
    return this.#objects.get(`${namespace}/${name}`);
  }

  all(): Manifest[] {
    return [...this.#objects.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }
}

function keyOf(object: Manifest): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function trim(object: Manifest): Manifest {
  const { managedFields: _dropped, ...metadata } = object.metadata;
  const kept: Manifest = { ...object, metadata: { ...metadata, name: object.metadata.name } };
  if (object.spec) kept.spec = trimSpec(object.spec);
  return kept;
}

function trimSpec(spec: JsonObject): JsonObject {
  const template = isJsonObject(spec.template) ? spec.template : {};
  const pod = isJsonObject(template.spec) ? template.spec : {};
  const containers = (Array.isArray(pod.containers) ? pod.containers : [])
    .filter(isJsonObject)
    .map((container) => ({ name: container.name ?? '', image: container.image ?? '' }));
  return { replicas: spec.replicas ?? 0, template: { spec: { containers } } };
}

const ours = { [labelKeys.managedBy]: managedBy };

/** A cache that is not started yet. */
export function createCache(client: Client, config: CacheConfig): ClusterCache {
  const namespaces = new Collection({ apiVersion: 'v1', kind: 'Namespace', labels: ours }, config.now);
  const deployments = new Collection({ apiVersion: 'apps/v1', kind: 'Deployment', labels: ours }, config.now);
  const controller = new AbortController();
  let started = false;
  const isReady = () => namespaces.filled && deployments.filled;
  return {
    async start(options = {}) {
      if (!started) {
        started = true;
        void namespaces.follow(client, controller.signal, config.random);
        void deployments.follow(client, controller.signal, config.random);
      }
      const deadline = config.now() + (options.timeoutMs ?? defaultStartMs);
      while (!isReady() && config.now() < deadline && !controller.signal.aborted)
        await pause(pollMs, controller.signal);
    },
    get ready() {
      return isReady();
    },
    get staleMs() {
      if (!isReady()) return Number.POSITIVE_INFINITY;
      return config.now() - Math.min(namespaces.heardAt, deployments.heardAt);
    },
    // Label selectors cannot say "namespace label equals its name": an enclave is one that names itself.
    enclaves: () => namespaces.all().filter(isEnclave),
    enclave: (name) => {
      const found = namespaces.get('', name);
      return found && isEnclave(found) ? found : undefined;
    },
    deployments: (enclave) => deployments.all().filter((d) => isTentacle(d) && inEnclave(d, enclave)),
    deployment: (enclave, name) => {
      const found = deployments.get(enclave, name);
      return found && isTentacle(found) ? found : undefined;
    },
    stop: () => controller.abort(),
  };
}

function inEnclave(deployment: Manifest, enclave: string | undefined): boolean {
  return enclave === undefined || deployment.metadata.namespace === enclave;
}

/** True for a Namespace that is an enclave: our label, the enclave label naming it, and no name that is reserved. */
export function isEnclave(namespace: Manifest): boolean {
  const { name, labels = {} } = namespace.metadata;
  return labels[labelKeys.managedBy] === managedBy && labels[labelKeys.enclave] === name && isEnclaveName(name);
}

/** True for an object of a tentacle of the namespace that it is in. */
function isTentacle(object: Manifest): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    labels[labelKeys.managedBy] === managedBy &&
    labels[labelKeys.enclave] === object.metadata.namespace &&
    typeof labels[labelKeys.tentacle] === 'string'
  );
}
