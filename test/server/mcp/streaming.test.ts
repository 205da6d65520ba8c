import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, post, startHarness } from '../support/harness.ts';
import { type SlowApiServer, startSlowApiServer } from '../support/slow-api-server.ts';

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'stream', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Clients give up on an answer whose first byte does not come; what may last must say so in time. */
describe.each(['2026-07-28', '2025-11-25'] as const)('a call that lasts, protocol %s', (era) => {
  let api: SlowApiServer;
  let harness: Harness;
  beforeEach(async () => {
    api = await startSlowApiServer();
    harness = await startHarness({ connection: api.connection, keepAliveMs: 50 });
  });
  afterEach(async () => {
    await harness.close();
    await api.close();
  });

  function call(options: { token?: string; signal?: AbortSignal } = {}): Promise<Response> {
    const meta = {
      ...(era === '2026-07-28' ? modernMeta : {}),
      ...(options.token ? { progressToken: options.token } : {}),
    };
    const params = { name: 'wf_apply', arguments: { enclave: 'team-a', ...helloWorkflow('hello') }, _meta: meta };
    const headers: Record<string, string> =
      era === '2026-07-28' ? { 'mcp-protocol-version': era, 'mcp-method': 'tools/call', 'mcp-name': 'wf_apply' } : {};
    return post(harness.endpoint, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers, options.signal);
  }

  it('is an event stream whose first byte comes before the result, without a progress token', async () => {
    const response = await call();
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value)).toMatch(/^: ?keepalive/);
    await eventually('the API server is asked', async () => api.waiting > 0, { intervalMs: 10 });
    api.answer();
    let rest = '';
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      rest += new TextDecoder().decode(chunk.value);
    }
    expect(rest).toContain('"code":"not_found"');
  });

  it('ends its work when the caller goes away', async () => {
    const gone = new AbortController();
    const response = await call({ signal: gone.signal });
    await eventually('the API server is asked', async () => api.waiting > 0, { intervalMs: 10 });
    gone.abort();
    await expect(response.text()).rejects.toThrow();
    await eventually(
      'the requests to the API server are given up',
      async () => api.abandoned > 0 && api.waiting === 0,
      {
        timeoutMs: 15_000,
        intervalMs: 10,
      },
    );
    await eventually('the call is recorded', async () => harness.audit.length === 1, {
      timeoutMs: 15_000,
      intervalMs: 10,
    });
    expect(harness.audit[0]).toMatchObject({ tool: 'wf_apply', outcome: 'unavailable' });
    expect(await harness.metrics.registry.metrics()).toContain('tentacular_tool_calls_in_flight 0');
  });
});
