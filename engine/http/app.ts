import type { Engine, StartResult } from '../engine.ts';
import { systemTime, type Time } from '../run/time.ts';
import { answerText, type RunEntry, recordText } from '../runs/run-entry.ts';
import { json, Refusal } from './responses.ts';
import { prefersAsync, readJob } from './run-request.ts';

/** Longest path and query, in characters. */
export const maxUrlLength = 4096;
/** Largest sum of header names and values, in characters. */
export const maxHeaderLength = 16 * 1024;
/** Seconds after which a caller who met `max_concurrency` or a loading engine may try again. */
const retryAfterSeconds = '1';

export interface AppOptions {
  readonly time?: Time;
  readonly newRunId?: () => string;
  /** Told of a fault of the engine itself; the caller sees only that there was one. */
  readonly onError?: (error: unknown) => void;
}

/** The engine's HTTP interface as a function; it listens nowhere and never rejects. */
export function createApp(engine: Engine, options: AppOptions = {}): (request: Request) => Promise<Response> {
  const time = options.time ?? systemTime;
  const newRunId = options.newRunId ?? (() => crypto.randomUUID());
  return async (request) => {
    try {
      return await route(request, engine, (post) => readJob(post, time, newRunId));
    } catch (error) {
      if (error instanceof Refusal) return error.response();
      options.onError?.(error);
      return new Refusal(500, 'engine_error', 'the engine failed to answer; its log says why').response();
    }
  };
}

type ReadJob = (request: Request) => ReturnType<typeof readJob>;

async function route(request: Request, engine: Engine, read: ReadJob): Promise<Response> {
  checkSizes(request);
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === '/run') {
    allow(request, ['POST']);
    return run(request, engine, read);
  }
  if (pathname === '/health') {
    allow(request, ['GET', 'HEAD']);
    return health(engine, searchParams.get('detail') === '1');
  }
  if (pathname === '/runs') {
    allow(request, ['GET', 'HEAD']);
    return json(200, runsText(engine, limitOf(searchParams)));
  }
  if (pathname.startsWith('/runs/')) {
    allow(request, ['GET', 'HEAD']);
    return json(200, recordText(findRun(engine, pathname.slice('/runs/'.length)), { outputs: true }));
  }
  throw new Refusal(404, 'not_found', 'there is POST /run, GET /runs, GET /runs/<id>, GET /health and nothing else');
}

function checkSizes(request: Request): void {
  if (request.url.length > maxUrlLength) {
    throw new Refusal(414, 'too_large', `the URL is longer than ${maxUrlLength} characters`);
  }
  let length = 0;
  for (const [name, value] of request.headers) length += name.length + value.length;
  if (length > maxHeaderLength) {
    throw new Refusal(431, 'too_large', `the headers are longer than ${maxHeaderLength} characters`);
  }
}

function allow(request: Request, methods: readonly string[]): void {
  if (methods.includes(request.method)) return;
  const allowed = methods.join(', ');
  throw new Refusal(405, 'method_not_allowed', `allowed here: ${allowed}`, { allow: allowed });
}

async function run(request: Request, engine: Engine, read: ReadJob): Promise<Response> {
  const started = engine.start(await read(request));
  const entry = entryOf(started);
  if (prefersAsync(request.headers) && entry.finished === undefined) {
    return json(202, JSON.stringify({ run_id: entry.runId, status: 'running' }), {
      location: `/runs/${encodeURIComponent(entry.runId)}`,
      'preference-applied': 'respond-async',
    });
  }
  // A run that is over is answered from what was kept of it; one under way, by whoever asks, with all that it returns.
  const finished = entry.finished ?? (await entry.done);
  return json(finished.success ? 200 : 500, answerText(entry, finished, started.kind === 'repeated'));
}

function entryOf(started: StartResult): RunEntry {
  switch (started.kind) {
    case 'started':
    case 'repeated':
      return started.entry;
    case 'busy':
      throw new Refusal(
        429,
        'too_many_runs',
        `${started.maxConcurrency} of ${started.maxConcurrency} runs are under way (config.max_concurrency)`,
        { 'retry-after': retryAfterSeconds },
      );
    case 'unavailable':
      throw new Refusal(503, 'unavailable', `the engine is ${started.state} and takes no runs`, {
        'retry-after': retryAfterSeconds,
      });
  }
}

function health(engine: Engine, detail: boolean): Response {
  const status = engine.state === 'ready' ? 'ok' : engine.state;
  return json(status === 'ok' ? 200 : 503, JSON.stringify(detail ? { status, ...engine.detail() } : { status }));
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? '100';
  const limit = Number(text);
  if (!/^\d{1,3}$/.test(text) || limit < 1 || limit > 100) {
    throw new Refusal(400, 'invalid_input', 'limit must be a number from 1 to 100');
  }
  return limit;
}

function runsText(engine: Engine, limit: number): string {
  const records = engine.runs().slice(0, limit);
  return `{"runs":[${records.map((entry) => recordText(entry, { outputs: false })).join(',')}]}`;
}

function findRun(engine: Engine, encodedId: string): RunEntry {
  const entry = engine.find(decode(encodedId));
  if (entry === undefined) {
    throw new Refusal(404, 'not_found', 'no run of that id since this engine started; it remembers the last 1000');
  }
  return entry;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, 'invalid_input', 'the run id in the path is not correctly percent-encoded');
  }
}
