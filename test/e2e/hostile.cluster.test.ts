import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { bed, temporaryEnclave, uniqueName } from '../support/e2e.ts';
import { eras, type McpConnection } from '../support/mcp.ts';
import { helloWorkflow } from '../support/workflows.ts';

describe('input from a stranger', () => {
  const { kube, connect, endpoint, token } = bed();
  let mcp: McpConnection;
  let enclave: string;
  let foreign: string;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    mcp = await connect();
    ({ enclave, remove } = await temporaryEnclave(mcp, 'hostile'));
    foreign = uniqueName('foreign');
    await kube.kubectl(['create', 'namespace', foreign]);
  });
  afterAll(async () => {
    await remove();
    await kube.remove('namespace', foreign);
    await mcp.close();
  });

  /** Everything in a namespace that could have been changed, as text. */
  async function everything(namespace: string): Promise<string> {
    const objects = await kube.list(
      'configmaps,secrets,services,deployments,networkpolicies,serviceaccounts,roles,rolebindings,resourcequotas',
      namespace,
    );
    // Of a quota a controller counts what is used, a while after that was made.
    const stateOf = ({ kind, metadata, spec }: Manifest) =>
      kind === 'ResourceQuota' ? [metadata.labels, metadata.annotations, spec] : metadata.resourceVersion;
    return JSON.stringify(objects.map((o) => [o.kind, o.metadata.name, o.metadata.uid, stateOf(o)]));
  }

  it.each([
    ['enclave_info', { name: '' }],
    ['enclave_deprovision', { name: '', confirm: true }],
    ['wf_apply', { enclave: '', ...helloWorkflow('x') }],
    ['wf_diff', { enclave: '', ...helloWorkflow('x') }],
    ['wf_remove', { enclave: '', name: 'x' }],
    ['wf_status', { enclave: '', name: 'x' }],
    ['wf_describe', { enclave: '', name: 'x' }],
    ['wf_run', { enclave: '', name: 'x' }],
    ['wf_runs', { enclave: '', name: 'x' }],
    ['wf_logs', { enclave: '', name: 'x' }],
    ['wf_pods', { enclave: '' }],
    ['wf_events', { enclave: '' }],
    ['wf_restart', { enclave: '', name: 'x' }],
    ['wf_list', { enclave: '' }],
  ] as [string, JsonObject][])('%s refuses a namespace that is not an enclave, and kube-system', async (tool, args) => {
    if (!(await mcp.toolNames()).includes(tool)) return expect(['wf_describe']).toContain(tool);
    for (const [namespace, name] of [
      [foreign, 'x'],
      ['kube-system', 'coredns'], // exists, and answers as if it did not
      ['tentacular-system', 'tentacular-mcp'],
      ['default', 'x'],
      ['no-such-namespace', 'x'],
    ] as const) {
      const before = await kube.get('namespace', namespace);
      const input =
        'enclave' in args
          ? { ...args, enclave: namespace, ...('name' in args ? { name } : {}) }
          : { ...args, name: namespace };
      const error = await mcp.refused(tool, input);
      expect(['not_found', 'invalid_input', 'permission_denied']).toContain(error.code);
      expect((await kube.get('namespace', namespace))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
    }
    expect(await kube.list('deployments,configmaps', foreign, 'app.kubernetes.io/managed-by=tentacular')).toEqual([]);
    return undefined;
  });

  it('an enclave of the name of an existing namespace is a conflict, and the namespace keeps its labels', async () => {
    const before = await kube.get('namespace', foreign);
    const error = await mcp.refused('enclave_provision', {
      name: foreign,
      owner_email: 'eve@example.com',
      owner_sub: 'eve',
    });
    expect(error.code).toBe('conflict');
    expect(await kube.get('namespace', foreign)).toEqual(before);
  });

  it.each([
    ['a traversal in a file name', { files: { '../../etc/passwd': 'x', 'nodes/greet.ts': '', 'nodes/shout.ts': '' } }],
    ['an absolute file name', { files: { '/etc/passwd': 'x' } }],
    ['a file name with a NUL', { files: { 'nodes/a\u0000.ts': 'x' } }],
    ['a name with upper case', { workflow: { ...helloWorkflow('x').workflow, name: 'Hello_World' } }],
    ['a name of another namespace', { workflow: { ...helloWorkflow('x').workflow, name: 'kube-system/x' } }],
    ['an unknown argument', { wrong_argument: true }],
    ['no workflow at all', { workflow: undefined }],
    ['a workflow of another type', { workflow: 42 }],
    ['a YAML bomb', { workflow: bomb() }],
    ['code over the limit', { files: { 'nodes/greet.ts': 'x'.repeat(950 * 1024), 'nodes/shout.ts': '' } }],
    ['a prototype in a map', { workflow: '{"name":"x","__proto__":{"a":1}}' }],
    ['a host with a wildcard', dependency({ host: '*.example.com', port: 443 })],
    ['the metadata address as a host', dependency({ host: '169.254.169.254', port: 80 })],
    ['a port out of range', dependency({ host: 'a.example.com', port: 99999 })],
    ['a flag inside a host', dependency({ host: 'a.example.com --allow-all', port: 443 })],
  ] as [string, JsonObject][])('%s is invalid_input and changes nothing', async (_what, overrides) => {
    const before = await everything(enclave);
    const error = await mcp.refused('wf_apply', { enclave, ...helloWorkflow('hostile'), ...overrides } as JsonObject);
    expect(error.code).toBe('invalid_input');
    expect(error.message.length).toBeLessThan(20_000);
    expect(await everything(enclave)).toBe(before);
  });

  it('a body over the limit is refused with a JSON error before it is read', async () => {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { pad: 'x'.repeat(5 * 1024 * 1024) },
      }),
    });
    expect(response.status).toBe(413);
    expect(response.headers.get('content-type')).toContain('application/json');
  });

  it.each(eras)('%s: every tool that is listed is one of the design', async (era) => {
    const connection = await connect(era);
    const names = await connection.toolNames();
    await connection.close();
    for (const required of [
      'enclave_provision',
      'enclave_info',
      'enclave_list',
      'enclave_deprovision',
      'wf_render',
      'wf_apply',
      'wf_diff',
      'wf_remove',
      'wf_list',
      'wf_status',
      'wf_run',
      'wf_runs',
      'wf_logs',
      'wf_pods',
      'wf_events',
      'wf_restart',
    ])
      expect(names).toContain(required);
  });

  it.each([
    ['no token', undefined],
    ['a wrong token', 'x'.repeat(64)],
    ['an empty token', ''],
    ['a token that is only a prefix', token.slice(0, 32)],
  ])('%s is a 401 that says how to authenticate, for every method', async (_what, value) => {
    for (const method of ['POST', 'GET', 'DELETE']) {
      const response = await fetch(endpoint, {
        method,
        headers: value === undefined ? {} : { authorization: `Bearer ${value}` },
      });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });
});

function dependency(fields: JsonObject): JsonObject {
  return {
    workflow: {
      ...helloWorkflow('hostile').workflow,
      contract: { version: '1', dependencies: { api: { protocol: 'https', ...fields } } },
    },
  };
}

/** Nine levels of ten aliases each: a billion entries if they were expanded. */
function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level <= 9; level += 1) {
    const items = Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ');
    lines.push(`a${level}: &a${level} [${items}]`);
  }
  return lines.join('\n');
}
