import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { isEnclaveName } from '../../constructs/model/names.ts';
import { isEnclave } from './cache.ts';
import type { CallOptions } from './call.ts';
import type { Client } from './client.ts';
import type { WriteOptions, Writer } from './writer.ts';

/** Kinds that may be written inside an enclave: what we render, and nothing else. */
const writableKinds: ReadonlySet<string> = new Set([
  'v1/ConfigMap',
  'v1/Secret',
  'v1/Service',
  'v1/ServiceAccount',
  'v1/ResourceQuota',
  'v1/LimitRange',
  'apps/v1/Deployment',
  'networking.k8s.io/v1/NetworkPolicy',
  'rbac.authorization.k8s.io/v1/RoleBinding',
]);

/** Names that we give: DNS-1123 subdomains, so that no path to an object can lead anywhere else. */
const plainName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const maxNameLength = 253;

/** How long an enclave's Namespace, once read, vouches for writes into it. */
const enclaveAgeMs = 5_000;
const maxRemembered = 2_000;

/**
 * The one writer of this process. The guard sits here, so that no tool can forget it: kinds, our label, and that
 * the namespace is an enclave of ours are checked before anything is sent.
 */
export class GuardedWriter implements Writer {
  readonly #client: Client;
  readonly #now: () => number;
  readonly #enclaves = new Map<string, { readonly namespace: Manifest; readonly readAt: number }>();

  constructor(client: Client, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  /** The Namespace of an enclave, read live, remembered shortly for the writes that follow. */
  async readEnclave(name: string, options?: CallOptions): Promise<Manifest | undefined> {
    const ref = { apiVersion: 'v1', kind: 'Namespace', name };
    const namespace = isEnclaveName(name) ? await this.#client.get(ref, options) : undefined;
    if (!namespace || !isEnclave(namespace) || namespace.metadata.name !== name) {
      this.#enclaves.delete(name);
      return undefined;
    }
    this.remember(namespace);
    return namespace;
  }

  /** Lets a Namespace that was just read or written vouch for the writes that follow. */
  remember(namespace: Manifest): void {
    if (this.#enclaves.size >= maxRemembered) this.#enclaves.clear();
    this.#enclaves.set(namespace.metadata.name, { namespace, readAt: this.#now() });
  }

  /** The enclave's Namespace, at most five seconds old; `not_found` where there is none of ours. */
  async enclave(name: string, options?: CallOptions): Promise<Manifest> {
    const known = this.#enclaves.get(name);
    if (known && this.#now() - known.readAt < enclaveAgeMs) return known.namespace;
    const namespace = await this.readEnclave(name, options);
    if (namespace) return namespace;
    throw new TentacularError('not_found', `There is no enclave "${name}"`, {
      hint: 'List the enclaves, or provision it first; a namespace that is not ours is never touched.',
    });
  }

  async create(manifest: Manifest, options: WriteOptions = {}): Promise<Manifest> {
    await this.#check(manifest, options);
    return this.#client.create(manifest, options);
  }

  async apply(manifest: Manifest, options: WriteOptions = {}): Promise<Manifest> {
    if (!manifest.metadata.resourceVersion) {
      throw refused(manifest, 'it has no resourceVersion, so it could overwrite what nobody has looked at');
    }
    await this.#check(manifest, options);
    return this.#client.apply(manifest, options);
  }

  async applyFields(
    live: Manifest,
    fields: JsonObject,
    manager: string,
    options: WriteOptions = {},
  ): Promise<Manifest> {
    await this.#check(live, options);
    const { name, namespace, uid, resourceVersion } = live.metadata;
    if (!uid || !resourceVersion) throw refused(live, 'it was not read from the cluster');
    const given = fields.metadata;
    const extra = typeof given === 'object' && given !== null && !Array.isArray(given) ? given : {};
    const metadata = { ...extra, name, ...(namespace ? { namespace } : {}), uid, resourceVersion };
    const manifest = { ...fields, apiVersion: live.apiVersion, kind: live.kind, metadata } as Manifest;
    return this.#client.apply(manifest, { ...options, manager });
  }

  async delete(live: Manifest, options: WriteOptions = {}): Promise<boolean> {
    await this.#check(live, options);
    const { name, namespace, uid } = live.metadata;
    if (!uid) throw refused(live, 'it was not read from the cluster');
    const ref = { apiVersion: live.apiVersion, kind: live.kind, name, ...(namespace ? { namespace } : {}) };
    return this.#client.delete(ref, { ...options, uid });
  }

  async #check(object: Manifest, options: CallOptions): Promise<void> {
    const labels = object.metadata.labels ?? {};
    if (labels[labelKeys.managedBy] !== managedBy)
      throw refused(object, `it lacks the label ${labelKeys.managedBy}: ${managedBy}`);
    const { namespace, name } = object.metadata;
    if (name.length > maxNameLength || !plainName.test(name)) throw refused(object, 'its name is none of ours');
    if (object.kind === 'Namespace' && object.apiVersion === 'v1') {
      if (!isEnclaveName(name)) throw refused(object, 'its name is reserved, or none of an enclave');
      if (!isEnclave(object)) throw refused(object, `it lacks the label ${labelKeys.enclave} with its own name`);
      return;
    }
    if (!writableKinds.has(`${object.apiVersion}/${object.kind}`))
      throw refused(object, 'this kind is not one that we write');
    if (!namespace) throw refused(object, 'it names no namespace');
    if (!isEnclaveName(namespace)) throw refused(object, 'its namespace is reserved, or none of an enclave');
    if (labels[labelKeys.enclave] !== namespace) throw refused(object, 'its enclave label names another namespace');
    const { signal, userAgent } = options;
    await this.enclave(namespace, { ...(signal ? { signal } : {}), ...(userAgent ? { userAgent } : {}) });
  }
}

function refused(object: Pick<Manifest, 'kind' | 'metadata'>, reason: string): TentacularError {
  return new TentacularError('policy_violation', `Refused to write ${describeObject(object)}: ${reason}`, {
    hint: 'Only objects of ours inside enclaves are written; nothing was changed.',
  });
}
