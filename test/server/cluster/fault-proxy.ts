import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Agent } from 'undici';
import type { DirectConnection } from '../../../server/cluster/connection-kinds.ts';

export interface Seen {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** True for POST, PATCH, DELETE that are no dry run: what changes the cluster. */
  readonly isWrite: boolean;
  readonly userAgent: string;
}

/** `drop`: never reaches the API server; `stall`: neither, and the line stays open; `lose`: carried out, its answer lost. */
export type Fault =
  | 'pass'
  | 'drop'
  | 'stall'
  | 'lose'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export interface FaultProxy {
  readonly connection: DirectConnection;
  readonly seen: readonly Seen[];
  /** TCP connections that clients opened. */
  readonly connections: number;
  /** Replaces the rule; default: everything passes. */
  rule(decide: (request: Seen) => Fault): void;
  /** Ends every open answer in the middle, as a broken network does. */
  breakConnections(): void;
  close(): Promise<void>;
}

/** A network between client and API server that can fail on purpose: the same faults before the fake and the real one. */
export async function startFaultProxy(upstream: DirectConnection): Promise<FaultProxy> {
  const agent = new Agent({
    connect: {
      ...(upstream.ca ? { ca: upstream.ca } : {}),
      ...upstream.clientCertificate,
      // A test's own API server may have a certificate that it made for itself.
      rejectUnauthorized: upstream.ca !== undefined,
    },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  let decide: (request: Seen) => Fault = () => 'pass';
  const seen: Seen[] = [];
  const open = new Set<ServerResponse>();
  let connections = 0;

  const forward = async (request: IncomingMessage, response: ServerResponse, lose: boolean): Promise<void> => {
    const body = await readAll(request);
    const token = typeof upstream.token === 'string' ? { authorization: `Bearer ${upstream.token}` } : {};
    const { host: _host, connection: _connection, authorization: _own, ...headers } = request.headers;
    const answer = await agent.request({
      origin: upstream.server,
      path: request.url ?? '/',
      method: request.method as 'GET',
      headers: { ...headers, ...token },
      body: body.length > 0 ? body : null,
    });
    if (lose) {
      await answer.body.dump();
      response.destroy();
      return;
    }
    const { 'transfer-encoding': _encoding, ...kept } = answer.headers;
    response.writeHead(answer.statusCode, kept as Record<string, string>);
    response.flushHeaders();
    response.on('close', () => answer.body.destroy());
    answer.body.on('error', () => response.destroy());
    answer.body.pipe(response);
  };

  const server = createServer((request, response) => {
    open.add(response);
    response.on('close', () => open.delete(response));
    const path = request.url ?? '/';
    const isWrite = request.method !== 'GET' && !path.includes('dryRun=');
    const one: Seen = { method: request.method ?? '', path, isWrite, userAgent: request.headers['user-agent'] ?? '' };
    seen.push(one);
    const fault = decide(one);
    if (fault === 'stall') return undefined;
    if (fault === 'drop') return response.destroy();
    if (typeof fault === 'object') {
      request.resume();
      return response.writeHead(fault.status, fault.headers).end(fault.body ?? '');
    }
    return forward(request, response, fault === 'lose').catch(() => response.destroy());
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connection: { kind: 'direct', server: `http://127.0.0.1:${port}` },
    seen,
    get connections() {
      return connections;
    },
    rule: (next) => {
      decide = next;
    },
    breakConnections: () => {
      for (const response of open) response.destroy();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await agent.destroy();
    },
  };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}
