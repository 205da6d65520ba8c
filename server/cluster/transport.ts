import { Agent, buildConnector, WebSocket } from 'undici';
import type { JsonValue } from '../../constructs/model/json.ts';
import { type ApiError, errorOfAnswer, errorOfSilence } from './api-error.ts';
import type { CallOptions, RequestRecord } from './call.ts';
import { type Access, openConnection } from './connection.ts';
import type { Connection } from './connection-kinds.ts';
import { backoffMs, pause } from './pause.ts';

/** Connections to the API server at most; requests above it queue. Watches and logs hold one each. */
const maxConnections = 48;
const connectTimeoutMs = 5_000;
/** One try of a read; a write gets the whole deadline, since a second try is not always allowed. */
const readAttemptMs = 10_000;
const defaultDeadlineMs = 15_000;
const maxAttempts = 6;
const maxRetryAfterMs = 10_000;
/** A page of 500 objects is far below it; more than this is not an answer that we can hold. */
const maxAnswerBytes = 64 * 1024 * 1024;

export interface ApiRequest {
  readonly verb: RequestRecord['verb'];
  /** `deployments.apps`, for counting. */
  readonly resource: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: URLSearchParams;
  /** JSON text. */
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** What is being tried, for messages: `apply Deployment/team/hello`. */
  readonly subject: string;
  readonly dryRun?: boolean;
  /** True where an answer may quote a Secret. */
  readonly secret?: boolean;
}

/** An answer that is read as it comes: watches and logs. */
export interface Stream {
  readonly chunks: AsyncIterable<Buffer>;
  /** Ends the connection; never throws. */
  stop(): void;
}

export interface TransportConfig {
  readonly connection: Connection;
  readonly userAgent: string;
  readonly onRequest: (record: RequestRecord) => void;
  readonly now: () => number;
  readonly random: () => number;
}

/**
 * HTTP to the API server over one pool of kept-alive connections: deadlines, retries of what may be repeated,
 * answers as JSON, refusals as ApiError.
 */
export class Transport {
  readonly #config: TransportConfig;
  readonly #access: Access;
  readonly #agent: Agent;

  private constructor(config: TransportConfig, access: Access) {
    this.#config = config;
    this.#access = access;
    this.#agent = new Agent({
      connections: maxConnections,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 300_000,
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: (options, callback) => connectorOf(access)(options, callback),
    });
  }

  static async open(config: TransportConfig): Promise<Transport> {
    return new Transport(config, await openConnection(config.connection, config.now));
  }

  /** One call with its retries; rejects with ApiError. */
  async send(request: ApiRequest, options: CallOptions = {}): Promise<JsonValue | undefined> {
    const deadline = this.#config.now() + (options.timeoutMs ?? defaultDeadlineMs);
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(request, options, deadline, attempt > 1);
      if ('value' in outcome) return outcome.value;
      const waitMs = outcome.retryAfterMs ?? backoffMs(attempt, { baseMs: 100, capMs: 5_000 }, this.#config.random);
      const left = deadline - this.#config.now();
      if (!outcome.again || attempt >= maxAttempts || waitMs >= left || options.signal?.aborted) throw outcome.error;
      await pause(waitMs, options.signal);
    }
  }

  async #attempt(request: ApiRequest, options: CallOptions, deadline: number, retried: boolean): Promise<Attempt> {
    const isRead = request.method === 'GET';
    const left = Math.max(1, deadline - this.#config.now());
    const timeout = AbortSignal.timeout(isRead ? Math.min(left, readAttemptMs) : left);
    const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
    const started = this.#config.now();
    let status = 0;
    try {
      const answer = await this.#dispatch(request, options, signal, retried);
      status = answer.statusCode;
      const body = await readJson(answer.body);
      if (status < 400) return { value: body };
      const error = errorOfAnswer(request.subject, status, body, { write: !isRead, secret: request.secret === true });
      return { error, ...this.#mayRepeat(request, status, headerOf(answer.headers, 'retry-after'), retried) };
    } catch (cause) {
      const sent = !neverSent(cause);
      const kind = options.signal?.aborted ? 'cancelled' : timeout.aborted ? 'timeout' : 'unreachable';
      const error = errorOfSilence(request.subject, cause, { kind, unknownOutcome: !isRead && sent });
      return { error, again: kind !== 'cancelled' && (isRead || !sent) };
    } finally {
      this.#record(request, status, started);
    }
  }

  #mayRepeat(request: ApiRequest, status: number, retryAfter: string | undefined, retried: boolean): Repeat {
    const seconds = Number(retryAfter);
    const retryAfterMs = retryAfter && Number.isFinite(seconds) ? Math.min(seconds * 1000, maxRetryAfterMs) : undefined;
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
    // 429 was turned away before anything was done, so a write may be repeated as well.
    if (status === 429) return { again: true, ...wait };
    if (status === 401) return { again: !retried, retryAfterMs: 0 };
    const isRead = request.method === 'GET';
    return { again: isRead && (status === 500 || status === 502 || status === 503 || status === 504), ...wait };
  }

  async #dispatch(request: ApiRequest, options: CallOptions, signal: AbortSignal, fresh: boolean) {
    const authorization = await this.#access.authorization(fresh);
    const query = request.query?.toString();
    return this.#agent.request({
      origin: this.#access.origin,
      path: `${this.#access.basePath}${request.path}${query ? `?${query}` : ''}`,
      method: request.method,
      signal,
      body: request.body ?? null,
      headers: {
        accept: request.accept ?? 'application/json',
        'user-agent': options.userAgent ?? this.#config.userAgent,
        ...(request.body === undefined ? {} : { 'content-type': request.contentType ?? 'application/json' }),
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
  }

  /**
   * Opens a stream; rejects with ApiError where the API server refuses it or does not begin to answer in time.
   * Not retried. `signal` ends it at any time: the iteration then just ends.
   */
  async stream(request: ApiRequest, options: CallOptions = {}): Promise<Stream> {
    const controller = new AbortController();
    const stop = () => controller.abort();
    const timer = setTimeout(stop, options.timeoutMs ?? readAttemptMs);
    options.signal?.addEventListener('abort', stop, { once: true });
    if (options.signal?.aborted) stop();
    const started = this.#config.now();
    let status = 0;
    try {
      const answer = await this.#dispatch(request, options, controller.signal, false);
      status = answer.statusCode;
      if (status >= 400) {
        throw errorOfAnswer(request.subject, status, await readJson(answer.body), { write: false, secret: false });
      }
      const release = () => options.signal?.removeEventListener('abort', stop);
      return { chunks: untilStopped(answer.body, controller.signal, release), stop };
    } catch (cause) {
      options.signal?.removeEventListener('abort', stop);
      if (status >= 400) throw cause;
      const kind = options.signal?.aborted ? 'cancelled' : controller.signal.aborted ? 'timeout' : 'unreachable';
      throw errorOfSilence(request.subject, cause, { kind, unknownOutcome: false });
    } finally {
      clearTimeout(timer);
      this.#record(request, status, started);
    }
  }

  /** Opens a WebSocket (port-forward) over the same pool and credentials; events tell how it goes. */
  async webSocket(path: string, protocols: string[], userAgent = this.#config.userAgent): Promise<WebSocket> {
    const authorization = await this.#access.authorization(false);
    const origin = this.#access.origin.replace(/^http/, 'ws');
    return new WebSocket(`${origin}${this.#access.basePath}${path}`, {
      protocols,
      dispatcher: this.#agent,
      headers: { 'user-agent': userAgent, ...(authorization === undefined ? {} : { authorization }) },
    });
  }

  #record(request: ApiRequest, status: number, started: number): void {
    const { verb, resource } = request;
    const durationMs = this.#config.now() - started;
    this.#config.onRequest({ verb, resource, status, durationMs, dryRun: request.dryRun === true });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

interface Repeat {
  readonly again: boolean;
  readonly retryAfterMs?: number;
}

type Attempt = { readonly value: JsonValue | undefined } | ({ readonly error: ApiError } & Repeat);

function connectorOf(access: Access): buildConnector.connector {
  return buildConnector({ ...access.tls(), timeout: connectTimeoutMs, keepAlive: true, allowH2: false });
}

function headerOf(headers: Record<string, string | string[] | undefined>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Codes of errors that come before a byte of the request has left. */
const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'EHOSTUNREACH']);

function neverSent(cause: unknown): boolean {
  if (typeof cause !== 'object' || cause === null) return false;
  if ('code' in cause && typeof cause.code === 'string') return unsentCodes.has(cause.code);
  return false;
}

async function readJson(body: AsyncIterable<Buffer>): Promise<JsonValue | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  if (size === 0) return undefined;
  const text = Buffer.concat(parts).toString('utf8');
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // Proxies and a starting API server answer in plain text: the status says enough, the text goes into the message.
    return { message: text.slice(0, 500) };
  }
}

/** An aborted stream is an ended stream: whoever stopped it knows, nobody else is to be hurt by an exception. */
async function* untilStopped(
  body: AsyncIterable<Buffer>,
  signal: AbortSignal,
  release: () => void,
): AsyncIterable<Buffer> {
  try {
    yield* body;
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    release();
  }
}
