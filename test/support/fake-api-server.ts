import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { type Change, FakeStore, metaOf, Refusal, type Target } from './fake-store.ts';

/**
 * As much of a Kubernetes API server as this project talks to: a real HTTP server over a store in memory, with
 * resourceVersions, strict server-side apply with field ownership, preconditions, dry run, pages, watches and logs.
 * No controllers: `put` plays what a controller would write. The same suites run against a real one.
 */
export interface FakeApiServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** Writes an object as a controller does: no ownership, no checks; metadata.uid and the like are made up. */
  put(object: JsonObject): JsonObject;
  /** Sets the log of one container. */
  log(pod: string, container: string, text: string): void;
  /** Sends every watcher a bookmark. */
  bookmark(): void;
  /** Forgets history: watches that go on from before are answered with 410. */
  compact(): void;
  /** Only this bearer token is accepted from now on; undefined = any. */
  token(token: string | undefined): void;
  /** Watches that are open. */
  readonly watchers: number;
  close(): Promise<void>;
}

interface Watcher {
  readonly response: ServerResponse;
  readonly send: (change: Change) => void;
}

export async function startFakeApiServer(): Promise<FakeApiServer> {
  const store = new FakeStore();
  const logs = new Map<string, string>();
  const watchers = new Set<Watcher>();
  let token: string | undefined;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
      reply(response, refusal.code, statusOf(refusal));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const body = await readBody(request);
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      throw new Refusal(401, 'Unauthorized', 'Unauthorized');
    }
    if (url.pathname === '/version') return reply(response, 200, { gitVersion: 'v0.0.0-fake', platform: 'fake' });
    const place = parsePath(url.pathname);
    if (place.subresource === 'log') return sendLog(response, place, url);
    if (place.name === undefined) return collection(request, response, place, url, body);
    const target: Target = { ...place, name: place.name };
    const settings = settingsOf(url);
    switch (request.method) {
      case 'GET':
        return reply(response, 200, store.get(target));
      case 'PATCH': {
        const { object, created } = store.apply(target, body, settings);
        return reply(response, created ? 201 : 200, object);
      }
      case 'DELETE': {
        const preconditions = isJsonObject(body.preconditions) ? body.preconditions : {};
        return reply(response, 200, store.delete(target, preconditions, Array.isArray(body.dryRun)));
      }
      default:
        throw new Refusal(405, 'MethodNotAllowed', 'method not allowed');
    }
  }

  async function collection(
    request: IncomingMessage,
    response: ServerResponse,
    place: ReturnType<typeof parsePath>,
    url: URL,
    body: JsonObject,
  ): Promise<void> {
    if (request.method === 'POST') {
      const target = { ...place, name: String(metaOf(body).name) };
      return reply(response, 201, store.create(target, body, settingsOf(url)));
    }
    store.kindOf(place.plural);
    if (url.searchParams.get('watch') === 'true') return watch(response, place, url);
    const isMetadataOnly = (request.headers.accept ?? '').includes('PartialObjectMetadataList');
    const all = store.list(place.plural, place.namespace).filter((object) => matches(object, url));
    const limit = Number(url.searchParams.get('limit') ?? 500);
    const [from = '0', version = String(store.version)] = (url.searchParams.get('continue') ?? '')
      .split('@')
      .filter(Boolean);
    if (Number(version) < store.compacted)
      throw new Refusal(410, 'Expired', 'The provided continue parameter is too old');
    const start = Number(from);
    const page = all.slice(start, start + limit);
    const next = start + limit < all.length ? { continue: `${start + limit}@${version}` } : {};
    const items = isMetadataOnly ? page.map((object) => ({ metadata: object.metadata ?? {} })) : page;
    return reply(response, 200, {
      kind: 'List',
      apiVersion: place.apiVersion,
      metadata: { resourceVersion: version, ...next },
      items,
    });
  }

  function watch(response: ServerResponse, place: ReturnType<typeof parsePath>, url: URL): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const since = Number(url.searchParams.get('resourceVersion') ?? 0);
    const write = (type: string, object: object) => response.write(`${JSON.stringify({ type, object })}\n`);
    if (since < store.compacted) {
      write('ERROR', statusOf(new Refusal(410, 'Expired', 'too old resource version')));
      response.end();
      return;
    }
    const send = (change: Change) => {
      const inPlace = place.namespace === undefined || metaOf(change.object).namespace === place.namespace;
      if (change.collection === place.plural && inPlace && matches(change.object, url))
        write(change.type, change.object);
    };
    for (const change of store.history) if (change.version > since) send(change);
    const watcher = { response, send };
    watchers.add(watcher);
    store.listeners.add(send);
    response.on('close', () => {
      watchers.delete(watcher);
      store.listeners.delete(send);
    });
  }

  function sendLog(response: ServerResponse, place: ReturnType<typeof parsePath>, url: URL): void {
    store.get({ ...place, name: place.name ?? '' });
    const text = logs.get(`${place.name}/${url.searchParams.get('container')}`);
    if (text === undefined) throw new Refusal(400, 'BadRequest', 'container is waiting to start');
    const lines = text.split('\n');
    const tail = Number(url.searchParams.get('tailLines') ?? lines.length);
    response.writeHead(200, { 'content-type': 'text/plain' }).end(lines.slice(-tail).join('\n'));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    put(object) {
      const metadata = metaOf(object);
      const plural = store.pluralOf(String(object.kind));
      const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : undefined;
      const made = { uid: `uid-${store.version}`, creationTimestamp: new Date().toISOString(), ...metadata };
      const target = { apiVersion: String(object.apiVersion), plural, namespace, name: String(metadata.name) };
      return store.save(target, { ...object, metadata: made });
    },
    log: (pod, container, text) => void logs.set(`${pod}/${container}`, text),
    bookmark() {
      const object = { kind: 'Bookmark', metadata: { resourceVersion: String(store.version) } };
      for (const { response } of watchers) response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
    },
    compact() {
      store.compacted = ++store.version;
      store.history.length = 0;
      for (const { response } of watchers) response.end();
    },
    token: (next) => {
      token = next;
    },
    get watchers() {
      return watchers.size;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const pathPattern =
  /^\/(?:api|apis\/([^/]+))\/(v[^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/;

function parsePath(path: string) {
  const match = pathPattern.exec(path);
  if (!match) throw new Refusal(404, 'NotFound', 'the server could not find the requested resource');
  const [, group, version = '', namespace, plural = '', name, subresource] = match.map(
    (part) => part && decodeURIComponent(part),
  );
  return { apiVersion: group ? `${group}/${version}` : version, namespace, plural, name, subresource };
}

function settingsOf(url: URL) {
  const read = (name: string) => url.searchParams.get(name);
  return {
    manager: read('fieldManager') ?? 'unknown',
    dryRun: read('dryRun') === 'All',
    force: read('force') === 'true',
  };
}

function matches(object: JsonObject, url: URL): boolean {
  const labels = metaOf(object).labels;
  const given = isJsonObject(labels) ? labels : {};
  const wanted = (url.searchParams.get('labelSelector') ?? '').split(',').filter(Boolean);
  return wanted.every((pair) => {
    const [key = '', value] = pair.split('=');
    return given[key] === value;
  });
}

function statusOf({ code, reason, message, causes }: Refusal): JsonObject {
  const details = causes.length > 0 ? { details: { causes: causes.map((cause) => ({ ...cause })) } } : {};
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message, ...details };
}

function reply(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  const text = Buffer.concat(parts).toString('utf8');
  return text === '' ? {} : (JSON.parse(text) as JsonObject);
}
