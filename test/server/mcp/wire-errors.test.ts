import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import { type Era, eras } from '../../support/mcp.ts';
import { projectRoot } from '../../support/source-files.ts';
import { type Harness, post, startHarness, token } from '../support/harness.ts';

/** Everything by which a client may tell one refusal from another. */
interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

const pinnedHeaders = ['content-type', 'allow', 'retry-after', 'www-authenticate'];

async function refusal(response: Response): Promise<Refusal> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => pinnedHeaders.includes(name)));
  const text = await response.text();
  const data = text.split('\n').find((line) => line.startsWith('data: '));
  const body: unknown = JSON.parse(data?.slice('data: '.length) ?? text);
  return { status: response.status, headers, body };
}

const envelope = (version: string) => ({
  'io.modelcontextprotocol/protocolVersion': version,
  'io.modelcontextprotocol/clientInfo': { name: 'pins', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
});

/** How clients learn what they did wrong: what is not told as agreed is a fault of the server to them. */
describe('errors on the wire', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.close());

  /** A request as a client of that era sends it; `headers` go over those that belong to it. */
  function send(era: Era, method: string, params: JsonValue = {}, headers: Record<string, string> = {}) {
    if (era === '2025-11-25') {
      const body = { jsonrpc: '2.0', id: 1, method, params };
      return post(harness.endpoint, body, { 'mcp-protocol-version': era, ...headers });
    }
    const named = isJsonObject(params) && typeof params.name === 'string' ? { 'mcp-name': params.name } : {};
    const meta = { _meta: envelope(headers['mcp-protocol-version'] ?? era) };
    const body = { jsonrpc: '2.0', id: 1, method, params: isJsonObject(params) ? { ...meta, ...params } : params };
    return post(harness.endpoint, body, { 'mcp-protocol-version': era, 'mcp-method': method, ...named, ...headers });
  }

  /** A body as it is, with the headers of a call. */
  function sendBody(era: Era, body: string, headers: Record<string, string> = {}) {
    const standard = era === '2026-07-28' ? { 'mcp-method': 'tools/call', 'mcp-name': 'wf_list' } : {};
    return post(harness.endpoint, body, { 'mcp-protocol-version': era, ...standard, ...headers });
  }

  function sendMethod(era: Era, method: string) {
    const headers = { authorization: `Bearer ${token}`, 'mcp-protocol-version': era, accept: 'text/event-stream' };
    return fetch(harness.endpoint, { method, headers });
  }

  const both: Readonly<Record<string, (era: Era) => Promise<Response>>> = {
    'a body that is no JSON': (era) => sendBody(era, '{"jsonrpc":'),
    'an empty body': (era) => sendBody(era, ''),
    'a bare number': (era) => sendBody(era, '7'),
    'a batch': (era) => sendBody(era, '[{"jsonrpc":"2.0","id":1,"method":"ping"}]'),
    'an object that is no request': (era) => sendBody(era, '{"hello":1}'),
    'a request without jsonrpc': (era) => sendBody(era, '{"id":1,"method":"ping"}'),
    'a body nested too deep': (era) => sendBody(era, `{"a":${'['.repeat(100)}${']'.repeat(100)}}`),
    'an unknown method': (era) => send(era, 'tools/nothing'),
    'a method of a feature that is not offered': (era) => send(era, 'prompts/list'),
    'a call of no tool': (era) => send(era, 'tools/call', {}, era === '2026-07-28' ? { 'mcp-name': 'wf_list' } : {}),
    'a call of an unknown tool': (era) => send(era, 'tools/call', { name: 'wf_nothing' }),
    'arguments that are no object': (era) => send(era, 'tools/call', { name: 'wf_list', arguments: 'text' }),
    'a cursor that was never given out': (era) => send(era, 'tools/list', { cursor: 'mine' }),
    'an unknown version': (era) =>
      send(era, 'tools/list', {}, { 'mcp-protocol-version': era === '2026-07-28' ? '2099-01-01' : '1999-01-01' }),
    GET: (era) => sendMethod(era, 'GET'),
    DELETE: (era) => sendMethod(era, 'DELETE'),
    PUT: (era) => sendMethod(era, 'PUT'),
    'another content type': (era) => send(era, 'tools/list', {}, { 'content-type': 'text/plain' }),
    'an unknown encoding': (era) => send(era, 'tools/list', {}, { 'content-encoding': 'rot13' }),
    'a body over 4 MiB': (era) => sendBody(era, `"${'x'.repeat(4 * 1024 * 1024)}"`),
    'a page of another site': (era) => send(era, 'tools/list', {}, { origin: 'https://evil.example.com' }),
    'no token': (era) => send(era, 'tools/list', {}, { authorization: '' }),
    'a wrong token': (era) => send(era, 'tools/list', {}, { authorization: `Bearer ${'x'.repeat(64)}` }),
  };

  const one: Readonly<Record<string, () => Promise<Response>>> = {
    '2025-11-25, initialize without its parameters': () => send('2025-11-25', 'initialize'),
    '2025-11-25, an Accept without event streams': () => send('2025-11-25', 'ping', {}, { accept: 'application/json' }),
    '2025-11-25, a version that knows batches': () =>
      send('2025-11-25', 'ping', {}, { 'mcp-protocol-version': '2025-03-26' }),
    '2026-07-28, a method of the older era': () => send('2026-07-28', 'initialize'),
    '2026-07-28, no envelope': () => send('2026-07-28', 'tools/list', { _meta: {} }),
    '2026-07-28, an envelope that does not fit': () =>
      send('2026-07-28', 'tools/list', {
        _meta: { ...envelope('2026-07-28'), 'io.modelcontextprotocol/clientCapabilities': 7 },
      }),
    '2026-07-28, a header of another version': () =>
      send('2026-07-28', 'tools/list', { _meta: envelope('2026-07-28') }, { 'mcp-protocol-version': '2025-11-25' }),
    '2026-07-28, a header of another method': () =>
      send('2026-07-28', 'tools/list', {}, { 'mcp-method': 'tools/call' }),
    '2026-07-28, a header of another tool': () =>
      send('2026-07-28', 'tools/call', { name: 'wf_list' }, { 'mcp-name': 'wf_apply' }),
    'another path': () => fetch(`${harness.url}/nothing`),
    'too many requests': () => lastOf({ callsPerSecond: 1, callClock: () => 0 }, {}),
    'too many failed attempts': () =>
      lastOf({ failedAuthentications: 1 }, { authorization: `Bearer ${'x'.repeat(64)}` }),
    'an issuer that is away': () =>
      lastOf(
        { authentication: () => ({ authenticator: { name: 'away', judge: async () => away } }) },
        { authorization: `Bearer ${'x'.repeat(64)}` },
      ),
  };

  it('are pinned: status, headers and JSON-RPC error of every way to be refused, in both eras', async () => {
    const pinned: Record<string, Refusal> = {};
    for (const [what, ask] of Object.entries(both)) {
      for (const era of eras) pinned[`${era}, ${what}`] = await refusal(await ask(era));
    }
    for (const [what, ask] of Object.entries(one)) pinned[what] = await refusal(await ask());
    for (const [what, { body }] of Object.entries(pinned)) {
      expect([what, isJsonObject(body) && 'error' in body]).toEqual([what, true]);
    }
    const text = `${JSON.stringify(pinned, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(projectRoot, 'snapshots/api/wire-errors.json'));
  });

  // Who is told of an internal error reports a fault of the server, and does not look for the own one.
  it.each(eras)('parameters that do not fit are never an internal error, protocol %s', async (era) => {
    harness.logs.length = 0;
    const methods = ['initialize', 'ping', 'server/discover', 'tools/list', 'tools/call', 'subscriptions/listen'];
    for (const method of [...methods, 'notifications/cancelled', 'tools/nothing']) {
      for (const params of junk) {
        const { status, body } = await refusal(await send(era, method, params, { 'mcp-name': 'wf_list' }));
        const code = isJsonObject(body) && isJsonObject(body.error) ? body.error.code : undefined;
        const sent = `${method} ${JSON.stringify(params)}`;
        expect([sent, code]).not.toEqual([sent, -32603]);
        expect([sent, status < 500]).toEqual([sent, true]);
      }
    }
    expect(harness.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});

const junk: readonly JsonValue[] = [
  {},
  { _meta: 7 },
  { _meta: { progressToken: {} } },
  { cursor: 7, name: 7, arguments: 7, notifications: 7, uri: 7 },
  { protocolVersion: 7, capabilities: 7, clientInfo: 7 },
  { name: 'wf_list', arguments: [] },
  7,
  [],
  'text',
];

const away = { kind: 'unavailable', retryAfterSeconds: 5 } as const;

/** The answer to the second of two requests to a server of its own. */
async function lastOf(options: Parameters<typeof startHarness>[0], headers: Record<string, string>) {
  const harness = await startHarness(options);
  try {
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    await post(harness.endpoint, ping, headers).then((response) => response.text());
    return await post(harness.endpoint, ping, headers);
  } finally {
    await harness.close();
  }
}
