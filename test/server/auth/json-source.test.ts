import dns from 'node:dns';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createJsonSource } from '../../../server/auth/json-source.ts';

describe('why the issuer cannot be read', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function place(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/certs`;
  }

  async function faultAt(url: string, timeoutMs = 15_000): Promise<string> {
    const source = createJsonSource({ timeoutMs });
    closers.push(() => source.close());
    return source.get(url).then(String, (error: Error) => error.message);
  }

  // The harm: "The operation was aborted due to timeout" in the log, and nobody knows of what.
  it.each<[string, RequestListener, RegExp]>([
    ['no answer', () => undefined, / cannot be read: .*timeout/],
    ['an answer without end', (_request, response) => response.write('{'), / cannot be read: .*timeout/],
    ['a connection that breaks', (request) => request.destroy(), / cannot be read: ./],
    ['an error', (_request, response) => response.writeHead(500).end(), / answered 500, not 200$/],
    ['a page', (_request, response) => response.end('<html>'), / something that is not JSON$/],
  ])('is told with its address: %s', async (_what, answer, fault) => {
    const url = await place(answer);
    const told = await faultAt(url, fault.source.endsWith('timeout') ? 200 : undefined);
    expect(told.startsWith(url)).toBe(true);
    expect(told).toMatch(fault);
  });

  // The error of such a name is empty: the reason in the log was "".
  it('is told of each address where its name has several', async () => {
    const found = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ];
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
      const done = args.at(-1);
      if (typeof done === 'function') done(null, found);
    });
    closers.push(() => lookup.mockRestore());
    const told = await faultAt('http://issuer.example.com:1/certs');
    expect(told).toMatch(/^http:\/\/issuer\.example\.com:1\/certs cannot be read: .*127\.0\.0\.1.*; .*::1/);
  });
});
