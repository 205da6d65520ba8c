import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../constructs/model/json.ts';
import { connect, eras, type McpConnection } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, post, startHarness, token } from '../support/harness.ts';

const source = { enclave: 'team-a', ...helloWorkflow('hello') };
/** Planted in places that no answer, log line or record may repeat. */
const canary = 'CANARY-0451';

describe.each(eras)('tools over protocol %s', (era) => {
  let harness: Harness;
  let mcp: McpConnection;
  beforeAll(async () => {
    harness = await startHarness();
    mcp = await connect(era, harness.endpoint, token);
  });
  afterAll(async () => {
    await mcp.close();
    await harness.close();
  });

  it('a result is structured content and the same JSON as text', async () => {
    const outcome = await mcp.call('wf_render', source);
    expect(outcome.result).toMatchObject({ name: 'hello', enclave: 'team-a', version: '1.0.0' });
    expect(JSON.parse(outcome.text)).toEqual(outcome.result);
  });

  it('an error is a result too, after the tools have been listed as well', async () => {
    await mcp.toolNames();
    const error = await mcp.refused('wf_render', { ...source, workflow: { name: 'UPPER' } });
    expect(error).toMatchObject({ code: 'invalid_input', hint: expect.any(String) });
    expect(error.details).toHaveProperty('faults');
  });

  it('unknown arguments are our invalid_input, with all faults, not a protocol error', async () => {
    const error = await mcp.refused('wf_list', { wrong: 1, limit: 0, enclave: '../x' });
    expect(error.code).toBe('invalid_input');
    for (const path of ['wrong', 'limit', 'enclave']) expect(error.message).toContain(`- ${path}`);
  });

  it('a tool that is not there is a protocol error', async () => {
    await expect(mcp.call('wf_nothing', {})).rejects.toThrow(/wf_nothing/);
  });

  it('a cluster that does not answer is unavailable, without its address', async () => {
    const error = await mcp.refused('wf_status', { enclave: 'team-a', name: 'hello' });
    expect(error.code).toBe('unavailable');
    expect(JSON.stringify(error)).not.toMatch(/127\.0\.0\.1|ECONNREFUSED|\.ts:/);
  });

  it('a canary in Secrets comes back in no result, log line or audit record', async () => {
    const secrets = { api: { token: canary }, 'bad name!': { key: canary } };
    const outcomes = await Promise.all([
      mcp.call('wf_apply', { ...source, secrets }),
      mcp.call('wf_apply', { ...source, secrets, dry_run: true, wrong: true }),
      mcp.call('wf_apply', { ...source, secrets: canary }),
      mcp.call('wf_apply', { ...source, secrets: { api: [canary] } }),
      mcp.call('wf_diff', { ...source, secrets }),
    ]);
    expect(outcomes.every(({ error }) => error !== undefined)).toBe(true);
    expect(JSON.stringify(outcomes)).not.toContain(canary);
    expect(harness.logs.join('')).not.toContain(canary);
    expect(JSON.stringify(harness.audit)).not.toContain(canary);
  });

  it('each call leaves exactly one audit record', async () => {
    harness.audit.length = 0;
    await mcp.ok('wf_render', source);
    await mcp.refused('wf_status', { enclave: 'team-a', name: 'hello' });
    await mcp.refused('wf_run', { enclave: 'team-a', name: 'hello', wrong: true });
    expect(harness.audit).toEqual([
      expect.objectContaining({
        tool: 'wf_render',
        decision: 'allowed',
        outcome: 'ok',
        principal: 'bearer-token',
        enclave: 'team-a',
      }),
      expect.objectContaining({
        tool: 'wf_status',
        decision: 'not-judged',
        outcome: 'unavailable',
        enclave: 'team-a',
        tentacle: 'hello',
      }),
      expect.objectContaining({
        tool: 'wf_run',
        decision: 'not-judged',
        outcome: 'invalid_input',
        enclave: 'team-a',
        tentacle: 'hello',
      }),
    ]);
    for (const record of harness.audit) {
      expect(record.client).toEqual(expect.any(String));
      expect(record.trace_id).toMatch(/^[0-9a-f]{32}$/);
      expect(record.arguments_digest).toMatch(/^sha256:/);
      expect(Date.parse(record.time)).not.toBeNaN();
    }
    // The older client names itself in `initialize` only, which no later request carries: its User-Agent stands in.
    expect(harness.audit[0]?.client).toBe(era === '2026-07-28' ? 'tentacular-e2e-2026-07-28/1.0.0' : 'node');
  });

  it('a rendering too long for one reply comes in pages within the budget', async () => {
    const padding = Array.from({ length: 4000 }, (_, line) => `// line ${line} "quoted"`).join('\n');
    const long = {
      ...source,
      files: { ...source.files, 'nodes/greet.ts': `${padding}\n${source.files['nodes/greet.ts']}` },
    };
    let yaml = '';
    let cursor: unknown;
    let pages = 0;
    do {
      const outcome = await mcp.call('wf_render', typeof cursor === 'string' ? { ...long, cursor } : long);
      expect(outcome.text.length).toBeLessThanOrEqual(50_000);
      yaml += String(outcome.result?.yaml);
      cursor = outcome.result?.next_cursor;
      pages += 1;
    } while (cursor !== undefined);
    expect(pages).toBeGreaterThan(2);
    expect(yaml).toContain('line 3999');
    expect(yaml.match(/^kind: Deployment$/gm)).toHaveLength(1);
  });

  it('the largest contract there may be is rendered within the budget, with its warnings', async () => {
    const dependencies = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [
        `dependency-${'x'.repeat(40)}-${index}`,
        { type: 'dynamic-target', cidr: '0.0.0.0/0', dynPorts: ['443/TCP'], reason: 'x'.repeat(400) },
      ]),
    );
    const contract = { version: '1', dependencies };
    const outcome = await mcp.call('wf_render', { ...source, workflow: { ...source.workflow, contract } });
    expect(outcome.error).toBeUndefined();
    expect(outcome.text.length).toBeLessThanOrEqual(50_000);
    expect(outcome.result?.warnings).toContainEqual(expect.stringMatching(/^\d+ more warnings were left out$/));
  });

  it('needs no session: a fresh connection to another replica answers the next call', async () => {
    const replica = await startHarness();
    const response = await post(replica.endpoint, {
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'wf_render', arguments: source },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('mcp-session-id')).toBeNull();
    expect(await response.text()).toContain('spec_hash');
    await replica.close();
  });
});

describe('the wire', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness({ keepAliveMs: 50 });
  });
  afterAll(() => harness.close());

  it('the trace id of the caller is the one in the audit record', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    await post(
      harness.endpoint,
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'wf_render', arguments: source } },
      { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    ).then((response) => response.text());
    expect(harness.audit.at(-1)?.trace_id).toBe(traceId);
  });

  const modernHeaders = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'wf_render' };
  const clientInfo = (info: unknown) => ({
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': info,
    'io.modelcontextprotocol/clientCapabilities': {},
  });
  const agent = { 'user-agent': 'claude-code/2.1.0 (cli) undici' };

  it.each([
    [
      '2026-07-28: as it names itself, whatever carries it',
      clientInfo({ name: 'My Agent', version: '3.1' }),
      'My Agent/3.1',
    ],
    [
      '2026-07-28: cleaned and bounded',
      clientInfo({ name: `a\n\u202eb${'x'.repeat(5000)}`, version: 'v'.repeat(5000) }),
      `a??b${'x'.repeat(92)}/${'v'.repeat(31)}`,
    ],
    ['2026-07-28: a name of nothing is none', clientInfo({ name: ' ', version: '1' }), 'claude-code/2.1.0'],
    ['2025-11-25: the product of its User-Agent', undefined, 'claude-code/2.1.0'],
  ])('the client of a call is recorded, %s', async (_what, meta, expected) => {
    const params = { name: 'wf_render', arguments: source, ...(meta ? { _meta: meta } : {}) };
    const headers = { ...agent, ...(meta ? modernHeaders : {}) };
    await post(harness.endpoint, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers).then((response) =>
      response.text(),
    );
    expect(harness.audit.at(-1)?.client).toBe(expected);
  });

  it('arguments that are no object are a protocol error in both eras, and no tool runs', async () => {
    harness.audit.length = 0;
    const modern = {
      _meta: {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      },
    };
    for (const [extra, headers] of [
      [{}, {}],
      [modern, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'wf_list' }],
    ] as const) {
      const params = { ...extra, name: 'wf_list', arguments: 'text' };
      const text = await post(harness.endpoint, { jsonrpc: '2.0', id: 1, method: 'tools/call', params }, headers).then(
        (response) => response.text(),
      );
      const json: unknown = JSON.parse(text.replace(/^(event: message\n)?data: /, ''));
      expect(isJsonObject(json) && json.error).toMatchObject({ code: -32602 });
    }
    expect(harness.audit).toEqual([]);
  });
});
