import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { errorOfAnswer, isApiError } from './api-error.ts';
import { asManifest, type Client, selectorOf } from './client.ts';
import { type KindInfo, resourceName, resourcePath } from './kinds.ts';
import { backoffMs, pause } from './pause.ts';
import type { ListQuery } from './reader.ts';

/** The API server ends a watch by itself after this long, so that watches spread over its replicas again. */
const watchSeconds = 290;
/** Bookmarks come about once a minute: silence for longer than this means that the connection is dead. */
const defaultSilenceMs = 150_000;
const backoff = { baseMs: 250, capMs: 30_000 };
/** One event at most; an object is limited to 1.5 MiB by etcd, more is no event. */
const maxLineBytes = 8 * 1024 * 1024;

export interface WatchHandlers {
  /** The whole state: at the start, and again after the API server has forgotten our place (410). */
  reset(items: readonly Manifest[]): void;
  changed(object: Manifest): void;
  deleted(object: Manifest): void;
  /** The API server was heard of: an answer, an event, a bookmark. */
  heard?(): void;
  /** Something failed and will be tried again. */
  failed?(error: unknown): void;
}

export interface WatchConfig {
  readonly signal: AbortSignal;
  readonly random: () => number;
  /** Default 150 000. */
  readonly silenceMs?: number;
  /** Bounds of the pause after a failure. Default 250 ms to 30 s. */
  readonly backoff?: { readonly baseMs: number; readonly capMs: number };
}

/**
 * Follows a collection until `signal` is aborted and never stops before: errors, resets, silence and 410 lead to a
 * new watch or a new list, with growing pauses. Resolves when aborted; never rejects.
 */
export async function watch(
  client: Client,
  query: ListQuery,
  handlers: WatchHandlers,
  config: WatchConfig,
): Promise<void> {
  let resourceVersion = '';
  let failures = 0;
  while (!config.signal.aborted) {
    try {
      if (!resourceVersion) {
        const page = await client.listAt(query, { signal: config.signal });
        resourceVersion = page.resourceVersion;
        handlers.reset(page.items);
        handlers.heard?.();
      }
      for await (const event of events(client, query, resourceVersion, config)) {
        failures = 0;
        handlers.heard?.();
        resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
        if (event.type === 'DELETED') handlers.deleted(event.object);
        else if (event.type !== 'BOOKMARK') handlers.changed(event.object);
      }
      // A watch that ends at once, again and again, is a failure too: without a pause it would be a storm.
      failures++;
      if (failures > 1) await pause(backoffMs(failures - 1, config.backoff ?? backoff, config.random), config.signal);
    } catch (error) {
      if (config.signal.aborted) return;
      if (isApiError(error, 410)) {
        // Our place in the history is gone: begin again with a list. Counted, so that a broken server sees pauses.
        resourceVersion = '';
      } else {
        handlers.failed?.(error);
      }
      failures++;
      if (failures > 1 || !isApiError(error, 410)) {
        await pause(backoffMs(failures, config.backoff ?? backoff, config.random), config.signal);
      }
    }
  }
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: Manifest;
}

async function* events(
  client: Client,
  query: ListQuery,
  resourceVersion: string,
  config: WatchConfig,
): AsyncIterable<WatchEvent> {
  const info = await client.kind(query.apiVersion, query.kind);
  const silence = new AbortController();
  const silenceMs = config.silenceMs ?? defaultSilenceMs;
  let timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const stream = await client.transport.stream(watchRequest(info, query, resourceVersion), {
      signal: AbortSignal.any([config.signal, silence.signal]),
    });
    for await (const line of lines(stream.chunks)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMs);
      yield parseEvent(line, info);
    }
  } finally {
    clearTimeout(timer);
  }
}

function watchRequest(info: KindInfo, query: ListQuery, resourceVersion: string) {
  const parameters = selectorOf(query);
  parameters.set('watch', 'true');
  parameters.set('allowWatchBookmarks', 'true');
  parameters.set('resourceVersion', resourceVersion);
  parameters.set('timeoutSeconds', String(watchSeconds));
  return {
    verb: 'watch' as const,
    resource: resourceName(info),
    method: 'GET' as const,
    path: resourcePath(info, query.namespace),
    query: parameters,
    subject: `watch ${info.plural}`,
  };
}

function parseEvent(line: string, info: KindInfo): WatchEvent {
  const event: unknown = JSON.parse(line);
  const body: JsonObject = isJsonObject(event) ? event : {};
  const { type, object } = body;
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
    return { type, object: asManifest(object, info, `watch ${info.plural}`) };
  }
  if (type === 'BOOKMARK' && isJsonObject(object)) {
    // A bookmark's object has a resourceVersion and no name.
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    const resourceVersion = typeof metadata.resourceVersion === 'string' ? metadata.resourceVersion : '';
    return { type, object: { apiVersion: info.apiVersion, kind: info.kind, metadata: { name: '', resourceVersion } } };
  }
  const code = isJsonObject(object) && typeof object.code === 'number' ? object.code : 500;
  throw errorOfAnswer(`watch ${info.plural}`, code, object, { write: false, secret: false });
}

async function* lines(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      parts.push(chunk.subarray(start, end));
      const line = Buffer.concat(parts).toString('utf8').trim();
      if (line) yield line;
      parts = [];
      size = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      parts.push(chunk.subarray(start));
      size += chunk.length - start;
      if (size > maxLineBytes) throw new Error(`a watch event is larger than ${maxLineBytes} bytes`);
    }
  }
}
