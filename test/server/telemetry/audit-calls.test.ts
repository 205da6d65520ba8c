import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { type EngineProcess, startEngine } from '../../engine/support/engine-process.ts';
import { eventually } from '../../support/eventually.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, post, startHarness, token } from '../support/harness.ts';
import { type Person, people, useStage } from '../support/people.ts';
import { startSlowApiServer } from '../support/slow-api-server.ts';

/** Planted where secrets are, and where somebody may put one by mistake. */
const canary = 'CANARY-0451-x7q';
const encoded = Buffer.from(canary).toString('base64').slice(0, 16);

const call = (name: string, args: JsonObject) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});

describe('what is recorded of a call that was carried out', () => {
  let engine: EngineProcess;
  const stage = useStage({ startCache: true, engineRoute: { kind: 'origin', originOf: () => engine.url } });
  const enclave = 'audited';
  beforeAll(async () => {
    engine = await startEngine({ modules: { fail: 'export default async () => { throw new Error("no"); };' } });
    await stage()
      .as('olga')
      .ok('enclave_provision', { name: enclave, members: ['mia@example.com'] });
  }, 60_000);
  afterAll(() => engine.stop());

  it('is every field of the audit record, with the true decision', async () => {
    const { as, harness } = stage();
    harness.audit.length = 0;
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('hello') });
    expect(harness.audit).toEqual([
      {
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        principal: 'mia@example.com',
        principal_kind: 'oidc',
        principal_sub: people.mia.sub,
        principal_client: people.mia.client,
        client: 'tentacular-e2e-2026-07-28/1.0.0',
        tool: 'wf_apply',
        enclave,
        tentacle: 'hello',
        arguments_digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
        decision: 'allowed',
        reason: 'enclave: group has w',
        outcome: 'ok',
        duration_ms: expect.any(Number),
        call_id: expect.stringMatching(/^call-/),
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
  });

  it.each<[string, string, JsonObject, JsonObject]>([
    ['olga', 'enclave_provision', { name: 'audited-too' }, { enclave: 'audited-too' }],
    ['mia', 'wf_render', { enclave, ...helloWorkflow('x') }, { enclave }],
    ['mia', 'wf_apply', { enclave, name: 'hello' }, { enclave, tentacle: 'hello' }],
    ['mia', 'permissions_set', { enclave, name: 'hello', mode: 'private' }, { enclave, tentacle: 'hello' }],
    ['olga', 'permissions_set', { enclave, mode: 'member-edit' }, { enclave }],
    ['olga', 'enclave_sync', { name: enclave, add_members: ['max@example.com'] }, { enclave }],
    ['mia', 'wf_list', {}, {}],
  ])('%s %s %j names what it was about, and nothing else', async (who, tool, args, subject) => {
    const { as, harness } = stage();
    harness.audit.length = 0;
    await as(who as Person).ok(tool, args);
    expect(harness.audit.map(({ enclave, tentacle }) => ({ enclave, tentacle }))).toEqual([subject]);
    expect(harness.audit[0]?.decision).toBe('allowed');
  });

  it.each<[string, JsonObject, string]>([
    ['wf_apply', { enclave, ...helloWorkflow('with-secret'), secrets: { api: { token: canary } } }, 'ok'],
    ['wf_apply', { enclave, ...helloWorkflow('with-secret'), secrets: { api: { token: canary } } }, 'ok'],
    ['wf_apply', { enclave, name: 'with-secret', secrets: { api: { token: `${canary}2` } }, dry_run: true }, 'ok'],
    ['wf_diff', { enclave, ...helloWorkflow('with-secret'), secrets: { api: { token: canary } } }, 'ok'],
    ['wf_apply', { enclave, name: 'with-secret', secrets: { [`bad ${canary}`]: {} } }, 'invalid_input'],
    ['wf_apply', { enclave, name: 'with-secret', secrets: { api: canary } }, 'invalid_input'],
    ['wf_apply', { enclave, name: 'absent', secrets: { api: { token: canary } } }, 'not_found'],
    ['wf_apply', { enclave, manifests: [{ kind: 'Secret', stringData: { k: canary } }] }, 'invalid_input'],
    ['wf_run', { enclave, name: 'with-secret', input: { password: canary } }, 'ok'],
    ['wf_run', { enclave, name: 'absent', input: { password: canary } }, 'not_found'],
    ['wf_status', { enclave, name: 'with-secret', detail: true }, 'ok'],
    ['wf_remove', { enclave, name: 'with-secret' }, 'ok'],
  ])('%s: a secret comes back in no result, error, log line or record', async (tool, args, outcome) => {
    const { as, harness } = stage();
    harness.audit.length = 0;
    const { text } = await as('mia').call(tool, args);
    // Names of services are no secrets: a fault may name the one that is wrong.
    const named = Object.keys((args.secrets as JsonObject) ?? {}).some((service) => service.includes(canary));
    if (!named) expect(text).not.toMatch(new RegExp(`${canary}|${encoded}`));
    expect(harness.audit.map((record) => record.outcome)).toEqual([outcome]);
    expect(JSON.stringify(harness.audit)).not.toContain(canary);
    expect(harness.logs.join('')).not.toMatch(new RegExp(`${canary}|${encoded}`));
  });

  it('nor does one that stands where names belong, or in the code', async () => {
    const { as, harness } = stage();
    harness.audit.length = 0;
    await as('mia').refused('wf_status', { enclave: canary, name: `x\n${canary}` });
    await as('mia').refused('enclave_info', { name: canary });
    await as('mia').refused('wf_list', { owner: { secret: canary } });
    const code = helloWorkflow('coded');
    code.files['nodes/greet.ts'] += `// ${canary}`;
    await as('mia').ok('wf_apply', { enclave, ...code });
    await as('mia').refused('wf_apply', { enclave, ...code, files: { 'nodes/greet.ts': `import "${canary}";` } });
    expect(harness.audit).toHaveLength(5);
    expect(JSON.stringify(harness.audit)).not.toContain(canary);
    expect(harness.logs.join('')).not.toContain(canary);
  });

  it('a failed run is a call that was carried out; a refused one says why, also where the caller is not told', async () => {
    const { as, harness } = stage();
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('failing'), mode: 'private' });
    harness.audit.length = 0;
    expect(await as('mia').ok('wf_run', { enclave, name: 'failing' })).toMatchObject({ status: 'failed' });
    await as('eve').refused('wf_run', { enclave, name: 'failing' });
    expect(harness.audit).toMatchObject([
      { outcome: 'ok', decision: 'allowed' },
      { outcome: 'not_found', decision: 'denied', reason: 'enclave: others has --- of rwxrwx---, r is needed' },
    ]);
  });
});

describe('what is recorded of a call that never came to an end', () => {
  it('a caller who hangs up leaves one record', async () => {
    const api = await startSlowApiServer();
    const harness = await startHarness({ connection: api.connection });
    const hangUp = new AbortController();
    const args = { enclave: 'team-a', name: 'hello' };
    const gone = post(harness.endpoint, call('wf_status', args), {}, hangUp.signal).then(
      () => 'answered',
      () => 'gone',
    );
    await eventually('the call is under way', async () => api.waiting > 0, { intervalMs: 5 });
    hangUp.abort();
    expect(await gone).toBe('gone');
    await eventually('it is recorded', async () => harness.audit.length > 0, { intervalMs: 5 });
    expect(harness.audit).toMatchObject([
      { tool: 'wf_status', enclave: 'team-a', tentacle: 'hello', decision: 'not-judged', outcome: 'unavailable' },
    ]);
    await harness.close();
    await api.close();
  });

  it('a fault of the server leaves one, and its cause goes to the log alone', async () => {
    const harness = await startHarness();
    // Not a fault that any tool has: the cluster itself throws what it never should.
    Object.defineProperty(harness.cluster, 'enclave', { value: () => Promise.reject(new TypeError('the-cause')) });
    const response = await post(harness.endpoint, call('enclave_info', { name: 'team-a' }));
    expect(await response.text()).not.toContain('the-cause');
    expect(harness.audit).toMatchObject([{ tool: 'enclave_info', enclave: 'team-a', outcome: 'cluster_error' }]);
    expect(harness.logs.join('')).toContain('the-cause');
    await harness.close();
  });

  it('one of what is no tool leaves one, which names it only where it could be a name', async () => {
    const harness = await startHarness();
    const args = { enclave: 'team-a', name: 'hello' };
    for (const name of ['wf_destroy', `wf_run ${canary}`]) {
      expect(await (await post(harness.endpoint, call(name, args))).text()).toContain('There is no tool');
    }
    const common = { enclave: 'team-a', tentacle: 'hello', decision: 'not-judged', outcome: 'invalid_input' };
    const reason = 'there is no such tool';
    expect(harness.audit).toMatchObject([
      { ...common, reason, tool: 'wf_destroy', principal: 'bearer-token' },
      { ...common, reason, tool: 'unknown' },
    ]);
    expect(JSON.stringify([harness.audit, harness.logs])).not.toContain(canary);
    await harness.close();
  });

  it('one that lacks a scope leaves one that names what it was about', async () => {
    const poor: Harness = await startHarness({
      authentication: () => ({
        authenticator: {
          name: 'poor',
          judge: async () => ({ kind: 'accepted', principal: people.mia, scopes: ['openid'] }),
        },
        toolScopes: { wf_remove: ['tentacles:destroy'] },
      }),
    });
    const ask = (args: JsonObject) =>
      post(poor.endpoint, call('wf_remove', args), { authorization: `Bearer ${canary.padEnd(40, 'y')}` });
    expect((await ask({ enclave: 'team-a', name: 'hello' })).status).toBe(403);
    expect((await ask({ enclave: canary, name: { x: canary } })).status).toBe(403);
    const [first, second] = poor.audit;
    expect(first).toMatchObject({ enclave: 'team-a', tentacle: 'hello', decision: 'denied' });
    expect(second).not.toHaveProperty('enclave');
    expect(second).not.toHaveProperty('tentacle');
    expect(JSON.stringify([poor.audit, poor.logs])).not.toContain(canary);
    await poor.close();
  });

  it('a credential is in no record and no log line, whether it counts or not', async () => {
    const harness = await startHarness();
    await post(harness.endpoint, call('wf_list', {}), { authorization: `Bearer ${canary}` });
    await post(harness.endpoint, call('wf_list', {}), { 'x-api-key': canary, cookie: canary });
    expect(JSON.stringify([harness.audit, harness.logs])).not.toMatch(new RegExp(`${canary}|${token}`));
    expect(harness.audit).toHaveLength(1);
    await harness.close();
  });
});
