import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An API server that takes its time: it answers only when it is told to. */
export interface SlowApiServer {
  readonly connection: { readonly kind: 'direct'; readonly server: string };
  /** Requests that wait for an answer now. */
  readonly waiting: number;
  /** Requests whose caller went away before the answer. */
  readonly abandoned: number;
  /** Answers all that wait, and from now on each at once: not found. */
  answer(): void;
  close(): Promise<void>;
}

export async function startSlowApiServer(): Promise<SlowApiServer> {
  const open = new Set<ServerResponse>();
  let abandoned = 0;
  let silent = true;
  const reply = (response: ServerResponse) => {
    open.delete(response);
    response
      .writeHead(404, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', code: 404 }));
  };
  const server = createServer((_request, response) => {
    if (!silent) return reply(response);
    open.add(response);
    response.on('close', () => {
      if (open.delete(response)) abandoned += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    connection: { kind: 'direct', server: `http://127.0.0.1:${port}` },
    get waiting() {
      return open.size;
    },
    get abandoned() {
      return abandoned;
    },
    answer() {
      silent = false;
      for (const response of open) reply(response);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
