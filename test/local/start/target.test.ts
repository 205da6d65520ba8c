import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { waitForServer } from '../../../local/start/target.ts';

describe('waiting for the server', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('goes on while it is not ready, asks /readyz and nothing else, and ends when it is', async () => {
    const asked: string[] = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.statusCode = asked.length < 3 ? 503 : 200;
      response.end();
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await waitForServer(`http://127.0.0.1:${port}/mcp`);
    expect(asked).toEqual(['/readyz', '/readyz', '/readyz']);
  });

  it('ends at the deadline with what it saw last', async () => {
    server = createServer((_request, response) => {
      response.statusCode = 503;
      response.end('cache not filled');
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const wait = waitForServer(`http://127.0.0.1:${port}/mcp`, { timeoutMs: 250 });
    await expect(wait).rejects.toThrow(/readyz is not ready after 0.25 s; last seen: status 503: cache not filled/);
  });
});
