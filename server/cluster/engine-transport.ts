import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Agent } from 'undici';

export interface EngineRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

export interface EngineAnswer {
  readonly status: number;
  /** Text, at most `maxAnswerBytes`. */
  readonly text: string;
  readonly podName?: string;
}

/** Outputs of a run are capped by the engine at a fraction of this. */
const maxAnswerBytes = 8 * 1024 * 1024;
const maxOrigins = 5_000;
const connectTimeoutMs = 3_000;

/** HTTP to a Service by name; no redirect is ever followed. */
export class ServiceTransport {
  readonly #agent = new Agent({
    connections: 8,
    maxOrigins,
    // No connection is kept: one whose pod has gone since would fail a run that nobody may repeat.
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: { timeout: connectTimeoutMs },
  });

  async send(origin: string, { method, path, headers, body, signal }: EngineRequest): Promise<EngineAnswer> {
    const answer = await this.#agent.request({ origin, path, method, headers, body: body ?? null, signal });
    return { status: answer.statusCode, text: await readText(answer.body) };
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** HTTP over one byte stream that was opened for this request. */
export function sendOver(stream: Duplex, podName: string, request: EngineRequest): Promise<EngineAnswer> {
  const { method, path, headers, body, signal } = request;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      createConnection: () => stream,
      method,
      path,
      headers: {
        ...headers,
        host: 'engine',
        connection: 'close',
        ...(body ? { 'content-length': Buffer.byteLength(body) } : {}),
      },
      signal,
    });
    const answered = (incoming: IncomingMessage) => {
      readText(incoming)
        .then((text) => resolve({ status: incoming.statusCode ?? 0, text, podName }), reject)
        .finally(() => stream.destroy());
    };
    outgoing.on('response', answered);
    outgoing.on('error', (error) => {
      stream.destroy();
      reject(error);
    });
    outgoing.end(body);
  });
}

async function readText(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of chunks) {
    size += part.length;
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
