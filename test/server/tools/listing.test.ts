import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../constructs/model/json.ts';
import { toolApis } from '../../../server/api/tools.ts';
import { connect, type Era, eras, type McpConnection } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, post, startHarness, token } from '../support/harness.ts';
import { people, person, useStage } from '../support/people.ts';

/**
 * No tool is ever hidden from anybody: tools/list is the same for all, and says nothing of what a caller may do. What
 * he may is judged at the call, each time and by one decision, so that no list can be gone round.
 */
describe.each(eras)('tools over protocol %s', (era: Era) => {
  const stage = useStage();
  const tokens = { olga: 'token-of-olga'.padEnd(40, '.'), ursula: 'token-of-ursula'.padEnd(40, '.'), bearer: token };
  const connections: McpConnection[] = [];
  beforeAll(async () => {
    for (const credential of Object.values(tokens)) {
      connections.push(await connect(era, stage().harness.endpoint, credential));
    }
    await stage().as('olga').ok('enclave_provision', { name: 'listed' });
  });
  afterAll(() => Promise.all(connections.map((connection) => connection.close())));

  it('are listed to everybody, all of them, whatever he may do', async () => {
    const all = Object.keys(toolApis).sort();
    for (const connection of connections) expect((await connection.toolNames()).sort()).toEqual(all);
  });

  it('that nobody listed is called all the same, and judged like any other', async () => {
    const [, ursula] = connections;
    // A fresh connection that has never asked for a list.
    const error = await ursula?.refused('enclave_info', { name: 'listed' });
    expect(error?.code).toBe('not_found');
    expect(stage().harness.audit.at(-1)).toMatchObject({ tool: 'enclave_info', decision: 'denied' });
  });

  it('that do not exist answer the same to everybody, and to the letter like each other', async () => {
    const names = ['wf_rollback', 'wf_Apply', 'wf_apply ', '__proto__', 'constructor', 'toString', '', '../wf_apply'];
    const { audit } = stage().harness;
    audit.length = 0;
    for (const name of names) {
      const answers = await Promise.all(
        connections.map((connection) =>
          connection.call(name, {}).then(
            () => 'taken',
            (error: Error) => error.message,
          ),
        ),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]?.replace(JSON.stringify(name), 'X')).toContain('There is no tool X.');
    }
    expect(audit).toHaveLength(names.length * connections.length);
    expect(audit.every(({ decision }) => decision === 'not-judged')).toBe(true);
  });
});

describe('a tool that needs a scope', () => {
  let harness: Harness;
  const principal = person('olga');
  beforeAll(async () => {
    harness = await startHarness({
      authentication: () => ({
        authenticator: {
          name: 'scoped',
          judge: async (credential) => ({ kind: 'accepted', principal, scopes: credential.split('-').slice(1) }),
        },
        toolScopes: { wf_render: ['tentacles:read'] },
      }),
    });
  });
  afterAll(() => harness.close());

  const render = { enclave: 'team-a', ...helloWorkflow('hello') };
  const ask = (body: JsonObject, scopes: string, headers: Record<string, string> = {}) =>
    post(harness.endpoint, body, { authorization: `Bearer ${'x'.repeat(40)}-${scopes}`, ...headers });
  const call = (name: string, more: JsonObject = {}): JsonObject => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: render, ...more },
  });
  const modern = {
    _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientInfo': { name: 't', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    },
  };
  const headersFor = (name: string) => ({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': name,
  });

  it('is listed without it, and refused at the call in both eras', async () => {
    const list = await ask({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, 'openid').then((r) => r.text());
    expect(list).toContain('"wf_render"');
    expect((await ask(call('wf_render'), 'openid')).status).toBe(403);
    expect((await ask(call('wf_render', modern), 'openid', headersFor('wf_render'))).status).toBe(403);
    expect((await ask(call('wf_render'), 'tentacles:read')).status).toBe(200);
    expect((await ask(call('wf_render', modern), 'tentacles:read', headersFor('wf_render'))).status).toBe(200);
  });

  it.each<[string, JsonObject, Record<string, string>]>([
    ['the header names another tool', call('wf_render', modern), headersFor('wf_list')],
    [
      'the header names another method',
      call('wf_render', modern),
      { ...headersFor('wf_render'), 'mcp-method': 'ping' },
    ],
    ['the name has a blank behind it', call('wf_render '), {}],
    ['the name is written otherwise', call('WF_RENDER'), {}],
    ['the name is a list', { ...call('x'), params: { name: ['wf_render'], arguments: render } }, {}],
    ['the method is written otherwise', { ...call('wf_render'), method: 'Tools/Call' }, {}],
    [
      'it is a notification',
      { jsonrpc: '2.0', method: 'tools/call', params: { name: 'wf_render', arguments: render } },
      {},
    ],
  ])('is not to be had without it where %s', async (_what, body, headers) => {
    harness.audit.length = 0;
    const response = await ask(body, 'openid', headers);
    expect(await response.text()).not.toContain('spec_hash');
    expect(harness.audit.filter(({ decision }) => decision === 'allowed')).toEqual([]);
  });

  it('nor in a batch, nor where a key comes twice', async () => {
    harness.audit.length = 0;
    const single = JSON.stringify(call('wf_render'));
    const twice = single.replace('"name":"wf_render"', '"name":"wf_list","name":"wf_render"');
    const bodies = [
      `[${single}]`,
      `[${single},${single}]`,
      twice,
      single.replace('"tools/call"', '"ping","method":"tools/call"'),
    ];
    for (const body of bodies) {
      const authorization = `Bearer ${'x'.repeat(40)}-openid`;
      const response = await post(harness.endpoint, body, { authorization });
      expect([400, 403]).toContain(response.status);
      expect(await response.text()).not.toContain('spec_hash');
    }
    expect(harness.audit.filter(({ decision }) => decision === 'allowed')).toEqual([]);
  });
});

describe('every tool', () => {
  const stage = useStage({ startCache: true });

  it.each(Object.keys(toolApis))('%s is judged at each call: nothing answers without a decision', async (tool) => {
    const { as, harness } = stage();
    await as('olga').call('enclave_provision', { name: 'judged', members: ['mia@example.com'] });
    await as('mia').call('wf_apply', { enclave: 'judged', ...helloWorkflow('hello'), mode: 'private' });
    const args: Readonly<Record<string, JsonObject>> = {
      enclave_list: {},
      enclave_provision: { name: 'of-ursula' },
      enclave_deprovision: { name: 'judged', confirm: true },
      wf_render: { enclave: 'judged', ...helloWorkflow('hello') },
      wf_list: {},
      permissions_set: { enclave: 'judged', name: 'hello', mode: 'open-run' },
    };
    const usual = tool.startsWith('enclave_') ? { name: 'judged' } : { enclave: 'judged', name: 'hello' };
    harness.audit.length = 0;
    const outcome = await as('ursula').call(tool, args[tool] ?? usual);
    const [record] = harness.audit;
    expect(record?.decision).not.toBe('not-judged');
    expect(record?.principal).toBe(people.ursula.name);
    // Only these ask nothing of the caller; what he may not read is left out of their answers.
    const isOpen = ['enclave_list', 'wf_list', 'wf_render'].includes(tool);
    expect(record?.decision).toBe(isOpen ? 'allowed' : 'denied');
    expect(isJsonObject(outcome.result)).toBe(isOpen);
    if (/_list$/.test(tool)) expect(outcome.result).toMatchObject({ total: 0 });
  });
});
