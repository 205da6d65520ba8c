import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import { describeObject, type Manifest } from '../../constructs/model/manifest.ts';
import { isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import { discoverKind } from './discovery.ts';
import { type KindInfo, knownKind, resourceName, resourcePath } from './kinds.ts';
import type { ListQuery, ObjectRef, Reader } from './reader.ts';
import type { ApiRequest, Transport } from './transport.ts';
import type { WriteOptions } from './writer.ts';

const defaultPageSize = 500;
const defaultMaxItems = 20_000;
/** A list whose pages expired (410) begins again, this often at most. */
const maxListRestarts = 3;
const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json';

export interface ListPage {
  readonly items: Manifest[];
  /** Of the collection: where a watch goes on from. */
  readonly resourceVersion: string;
}

export interface DeleteOptions extends WriteOptions {
  readonly uid?: string;
  readonly resourceVersion?: string;
  /** Default `Background`. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/** The verbs of the Kubernetes API, without any guard: for this folder only. */
export class Client implements Reader {
  readonly transport: Transport;
  readonly #fieldManager: string;

  constructor(transport: Transport, fieldManager: string) {
    this.transport = transport;
    this.#fieldManager = fieldManager;
  }

  async kind(apiVersion: string, kind: string, options?: CallOptions): Promise<KindInfo> {
    return knownKind(apiVersion, kind) ?? (await discoverKind(this.transport, apiVersion, kind, options));
  }

  async get(ref: ObjectRef, options: CallOptions = {}): Promise<Manifest | undefined> {
    const info = await this.kind(ref.apiVersion, ref.kind, options);
    const subject = `read ${describeObject({ kind: ref.kind, metadata: { name: ref.name, ...namespaceOf(ref) } })}`;
    const path = resourcePath(info, ref.namespace, ref.name);
    const request: ApiRequest = { verb: 'get', resource: resourceName(info), method: 'GET', path, subject };
    try {
      return asManifest(await this.transport.send(request, options), ref, subject);
    } catch (error) {
      if (isApiError(error, 404)) return undefined;
      throw error;
    }
  }

  async list(query: ListQuery, options: CallOptions = {}): Promise<Manifest[]> {
    return (await this.listAt(query, options)).items;
  }

  /** As `list`, with the collection's resourceVersion. */
  async listAt(query: ListQuery, options: CallOptions = {}): Promise<ListPage> {
    for (let restarts = 0; ; restarts++) {
      try {
        return await this.#listPages(query, options);
      } catch (error) {
        if (!isApiError(error, 410) || restarts >= maxListRestarts) throw error;
      }
    }
  }

  async #listPages(query: ListQuery, options: CallOptions): Promise<ListPage> {
    const info = await this.kind(query.apiVersion, query.kind, options);
    const subject = `list ${info.plural}${query.namespace ? ` in ${query.namespace}` : ''}`;
    const maxItems = query.maxItems ?? defaultMaxItems;
    const items: Manifest[] = [];
    let next = '';
    for (;;) {
      const parameters = selectorOf(query);
      parameters.set('limit', String(query.pageSize ?? defaultPageSize));
      if (next) parameters.set('continue', next);
      const request: ApiRequest = {
        verb: 'list',
        resource: resourceName(info),
        method: 'GET',
        path: resourcePath(info, query.namespace),
        query: parameters,
        subject,
        ...(query.metadataOnly ? { accept: metadataList } : {}),
      };
      const page = await this.transport.send(request, options);
      const body = isJsonObject(page) ? page : {};
      const metadata = isJsonObject(body.metadata) ? body.metadata : {};
      for (const item of Array.isArray(body.items) ? body.items : []) items.push(asManifest(item, query, subject));
      if (items.length > maxItems) throw tooMany(subject, maxItems);
      next = typeof metadata.continue === 'string' ? metadata.continue : '';
      if (!next) return { items, resourceVersion: String(metadata.resourceVersion ?? '') };
    }
  }

  async create(manifest: Manifest, options: WriteOptions = {}): Promise<Manifest> {
    const info = await this.kind(manifest.apiVersion, manifest.kind, options);
    const subject = `create ${describeObject(manifest)}`;
    const answer = await this.transport.send(
      {
        verb: 'create',
        resource: resourceName(info),
        method: 'POST',
        path: resourcePath(info, manifest.metadata.namespace),
        query: this.#writeQuery(options),
        body: JSON.stringify(manifest),
        ...describeWrite(manifest, subject, options),
      },
      options,
    );
    return asManifest(answer, manifest, subject);
  }

  /** Server-side apply, strict. `manager` other than the default owns what it applies by itself. */
  async apply(manifest: Manifest, options: WriteOptions & { readonly manager?: string } = {}): Promise<Manifest> {
    const info = await this.kind(manifest.apiVersion, manifest.kind, options);
    const subject = `apply ${describeObject(manifest)}`;
    const query = this.#writeQuery(options);
    if (options.manager) query.set('fieldManager', options.manager);
    if (options.force) query.set('force', 'true');
    const answer = await this.transport.send(
      {
        verb: 'apply',
        resource: resourceName(info),
        method: 'PATCH',
        path: resourcePath(info, manifest.metadata.namespace, manifest.metadata.name),
        query,
        body: JSON.stringify(manifest),
        // JSON is YAML: the API server of every supported version reads it under this type.
        contentType: 'application/apply-patch+yaml',
        ...describeWrite(manifest, subject, options),
      },
      options,
    );
    return asManifest(answer, manifest, subject);
  }

  /** False where there is no such object (any more). */
  async delete(ref: ObjectRef, options: DeleteOptions = {}): Promise<boolean> {
    const info = await this.kind(ref.apiVersion, ref.kind, options);
    const subject = `delete ${describeObject({ kind: ref.kind, metadata: { name: ref.name, ...namespaceOf(ref) } })}`;
    const { uid, resourceVersion } = options;
    const body = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: options.propagation ?? 'Background',
      preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
      ...(options.dryRun ? { dryRun: ['All'] } : {}),
    };
    const request: ApiRequest = {
      verb: 'delete',
      resource: resourceName(info),
      method: 'DELETE',
      path: resourcePath(info, ref.namespace, ref.name),
      body: JSON.stringify(body),
      subject,
      dryRun: options.dryRun === true,
    };
    try {
      await this.transport.send(request, options);
      return true;
    } catch (error) {
      if (isApiError(error, 404)) return false;
      throw error;
    }
  }

  async version(options: CallOptions = {}): Promise<{ gitVersion: string; platform: string }> {
    const request: ApiRequest = {
      verb: 'other',
      resource: 'version',
      method: 'GET',
      path: '/version',
      subject: 'read the version',
    };
    const answer = await this.transport.send(request, options);
    const body = isJsonObject(answer) ? answer : {};
    return { gitVersion: String(body.gitVersion ?? ''), platform: String(body.platform ?? '') };
  }

  #writeQuery(options: WriteOptions): URLSearchParams {
    const query = new URLSearchParams({ fieldManager: this.#fieldManager, fieldValidation: 'Strict' });
    if (options.dryRun) query.set('dryRun', 'All');
    return query;
  }
}

function describeWrite(manifest: Manifest, subject: string, options: WriteOptions) {
  return { subject, secret: manifest.kind === 'Secret', dryRun: options.dryRun === true };
}

function namespaceOf(ref: Pick<ObjectRef, 'namespace'>): { namespace?: string } {
  return ref.namespace === undefined ? {} : { namespace: ref.namespace };
}

/** Label and field selectors of a query. */
export function selectorOf(query: ListQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  const join = (pairs: Readonly<Record<string, string>>) =>
    Object.entries(pairs)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
  if (query.labels) parameters.set('labelSelector', join(query.labels));
  if (query.fields) parameters.set('fieldSelector', join(query.fields));
  return parameters;
}

function tooMany(subject: string, maxItems: number): TentacularError {
  return new TentacularError('cluster_error', `Cannot ${subject}: more than ${maxItems} objects`, {
    hint: 'Narrow the query to one enclave.',
  });
}

/** Items of lists carry no kind, metadata-only ones a foreign one: both get the kind that was asked for. */
export function asManifest(
  value: JsonValue | undefined,
  kind: { readonly apiVersion: string; readonly kind: string },
  subject: string,
): Manifest {
  if (isJsonObject(value) && isJsonObject(value.metadata) && typeof value.metadata.name === 'string') {
    const object: JsonObject = { ...value, apiVersion: kind.apiVersion, kind: kind.kind };
    return object as Manifest;
  }
  throw new TentacularError('cluster_error', `Cannot ${subject}: the answer is no Kubernetes object`, {
    hint: 'Check that the address is that of an API server.',
    retryable: true,
  });
}
