import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Harness, post, startHarness, token } from './support/harness.ts';

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('the HTTP surface', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.close());

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: `Bearer ${'x'.repeat(64)}` }],
    ['a token that is only a prefix', { authorization: `Bearer ${token.slice(0, 32)}` }],
    ['another scheme', { authorization: `Basic ${token}` }],
    ['a token in the query', {}],
  ])('%s is a 401 for every method, before anything of the request is judged', async (what, headers) => {
    const url = what.includes('query') ? `${harness.endpoint}?access_token=${token}` : harness.endpoint;
    for (const method of ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
      const body = method === 'GET' || method === 'OPTIONS' ? null : '{not json';
      const response = await fetch(url, { method, headers, body });
      expect(response.status).toBe(401);
      const sent = 'authorization' in headers && headers.authorization?.startsWith('Bearer');
      expect(response.headers.get('www-authenticate')).toBe(
        sent ? 'Bearer realm="tentacular", error="invalid_token"' : 'Bearer realm="tentacular"',
      );
      expect(await response.json()).toHaveProperty('error_description');
    }
  });

  it('with a token the methods of sessions are 405: there are none', async () => {
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(harness.endpoint, { method, headers: { authorization: `Bearer ${token}` } });
      expect(response.status).toBe(405);
    }
  });

  it('a rotated token works without a restart, the old one until it is withdrawn', async () => {
    const rotated = 'rotated-token-'.padEnd(64, 'r');
    const statusOf = async (value: string) =>
      (await post(harness.endpoint, ping, { authorization: `Bearer ${value}` })).status;
    expect(await statusOf(rotated)).toBe(401);
    await harness.setTokens(`${token}\n${rotated}`);
    await eventually(
      'both are accepted',
      async () => (await statusOf(rotated)) === 200 && (await statusOf(token)) === 200,
    );
    await harness.setTokens(`${rotated}\n`);
    await eventually('the old one is refused', async () => (await statusOf(token)) === 401);
    expect(await statusOf(rotated)).toBe(200);
    await harness.setTokens(token);
    await eventually('the first one is back', async () => (await statusOf(token)) === 200);
  });

  it('a page of another site is refused with 403, token or not', async () => {
    for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
      const response = await fetch(harness.endpoint, {
        method: 'POST',
        headers: { ...headers, origin: 'https://evil.example.com' },
      });
      expect(response.status).toBe(403);
    }
    expect((await post(harness.endpoint, ping, { origin: 'http://localhost:6274' })).status).toBe(200);
  });

  it('a page that is let in may ask whether it may call, and read the answer and what to do about a 401', async () => {
    const origin = 'http://localhost:6274';
    const wanted = 'authorization,content-type,mcp-protocol-version';
    const ask = { 'access-control-request-method': 'POST', 'access-control-request-headers': wanted };
    const preflight = await fetch(harness.endpoint, { method: 'OPTIONS', headers: { origin, ...ask } });
    expect(preflight.status).toBe(204);
    expect(Object.fromEntries(preflight.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': wanted,
    });
    expect(preflight.headers.has('access-control-allow-credentials')).toBe(false);
    for (const authorization of [`Bearer ${token}`, `Bearer ${'x'.repeat(64)}`]) {
      const { status, headers } = await post(harness.endpoint, ping, { origin, authorization });
      expect(status).toBe(authorization.endsWith(token) ? 200 : 401);
      expect(headers.get('access-control-allow-origin')).toBe(origin);
      expect(headers.get('access-control-expose-headers')).toContain('WWW-Authenticate');
      expect(headers.get('vary')).toContain('Origin');
    }
    const evil = { origin: 'https://evil.example.com', ...ask };
    const refused = await fetch(harness.endpoint, { method: 'OPTIONS', headers: evil });
    expect(refused.status).toBe(403);
    expect(refused.headers.has('access-control-allow-origin')).toBe(false);
  });

  it('a body over 4 MiB is a 413 with a JSON error, also where its length is not announced', async () => {
    const body = JSON.stringify({ ...ping, params: { pad: 'x'.repeat(4 * 1024 * 1024) } });
    const response = await post(harness.endpoint, body);
    expect(response.status).toBe(413);
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { message: expect.any(String) } });
    const chunks = [body.slice(0, 1000), body.slice(1000)];
    const streamed = await fetch(harness.endpoint, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: ReadableStream.from(chunks.map((chunk) => new TextEncoder().encode(chunk))),
      duplex: 'half',
    } as RequestInit);
    expect(streamed.status).toBe(413);
  });

  it.each([
    ['no JSON', '{"jsonrpc":', 400],
    ['nothing', '', 400],
    ['a number', '7', 400],
    ['an empty batch', '[]', 400],
  ])('a body that is %s is a JSON error', async (_what, body, status) => {
    const response = await post(harness.endpoint, body);
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
  });

  it('a batch is refused: one body would be any number of calls, past every limit', async () => {
    const call = { ...ping, method: 'tools/call', params: { name: 'wf_run', arguments: { enclave: 'a', name: 'b' } } };
    harness.audit.length = 0;
    const response = await post(harness.endpoint, [call, { ...call, id: 2 }]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600, message: expect.stringMatching(/batch/) } });
    expect(harness.audit).toEqual([]);
  });

  it.each([100, 5000, 1_000_000])(
    'a body nested %i levels deep is refused, and is no fault of the server',
    async (depth) => {
      harness.logs.length = 0;
      const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
      const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"wf_run","arguments":{"input":${deep}}}}`;
      const response = await post(harness.endpoint, body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({
        error: { code: -32600, message: expect.stringMatching(/nested/) },
      });
      expect(harness.logs.join('')).not.toContain('"level":"error"');
    },
  );

  it.each([
    ['not what its encoding says', 400, { 'content-encoding': 'gzip' }, JSON.stringify(ping)],
    ['of an encoding that nobody knows', 415, { 'content-encoding': 'rot13' }, JSON.stringify(ping)],
    [
      'of a charset that JSON has not',
      415,
      { 'content-type': 'application/json; charset=latin1' },
      JSON.stringify(ping),
    ],
    [
      'small and inflates beyond the limit',
      413,
      { 'content-encoding': 'gzip' },
      gzipSync(`"${'x'.repeat(5_000_000)}"`),
    ],
  ])('a body that is %s is the fault of who sent it', async (_what, status, headers, body) => {
    harness.logs.length = 0;
    const response = await fetch(harness.endpoint, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body,
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toHaveProperty('error.message');
    expect(harness.logs.join('')).not.toContain('"level":"error"');
  });

  it('another content type is a 415', async () => {
    expect((await post(harness.endpoint, ping, { 'content-type': 'text/plain' })).status).toBe(415);
  });

  it('paths that are not there are a 404 as JSON, discovery of an authorization server among them', async () => {
    for (const path of [
      '/',
      '/mcp2',
      '/.well-known/oauth-protected-resource',
      '/.well-known/oauth-protected-resource/mcp',
      '/metrics',
    ]) {
      const response = await fetch(`${harness.url}${path}`);
      expect(response.status).toBe(404);
      expect(await response.json()).toHaveProperty('error', 'not_found');
    }
  });

  it('answers carry the headers of helmet and do not name the framework', async () => {
    const response = await fetch(`${harness.url}/healthz`);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-security-policy')).toEqual(expect.any(String));
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  // Harm: a proxy sends a call over a connection that is being closed, and may not send it again.
  it('keeps idle connections for longer than proxies do', async () => {
    const { headers } = await fetch(`${harness.url}/healthz`);
    expect(Number(/^timeout=(\d+)$/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThan(60);
  });

  it('is alive without the API server, but not ready, and does not say why in detail', async () => {
    expect((await fetch(`${harness.url}/healthz`)).status).toBe(200);
    const ready = await fetch(`${harness.url}/readyz`);
    expect(ready.status).toBe(503);
    expect(JSON.stringify(await ready.json())).not.toMatch(/127\.0\.0\.1|ECONN/);
  });

  it('no token reaches a log line', () => {
    expect(harness.logs.join('')).not.toContain(token);
    expect(harness.logs.join('')).not.toContain('rotated-token');
  });
});

describe('limits', () => {
  it('wrong tokens of one address are limited; a valid one still passes, and asking without one is no attempt', async () => {
    const harness = await startHarness({ failedAuthentications: 3 });
    try {
      const attempt = () => post(harness.endpoint, ping, { authorization: `Bearer ${'x'.repeat(64)}` });
      const statuses = [];
      for (let round = 0; round < 5; round += 1) statuses.push((await attempt()).status);
      expect(statuses).toEqual([401, 401, 401, 429, 429]);
      expect(Number((await attempt()).headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await post(harness.endpoint, ping)).status).toBe(200);
      expect((await fetch(harness.endpoint)).status).toBe(401);
    } finally {
      await harness.close();
    }
  });

  it('calls of one principal are limited with 429 and Retry-After', async () => {
    const harness = await startHarness({ callsPerSecond: 2, callClock: () => 0 });
    try {
      const responses = await Promise.all(Array.from({ length: 6 }, () => post(harness.endpoint, ping)));
      const statuses = responses.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 200, 429, 429, 429, 429]);
      expect(responses.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
    } finally {
      await harness.close();
    }
  });
});
