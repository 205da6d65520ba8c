import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../constructs/model/json.ts';
import { runIdOf } from '../../../server/tools/run-id.ts';
import { type EngineProcess, startEngine } from '../../engine/support/engine-process.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';

/** Runs of a real engine through the tools: whose is a key, and what becomes of one that was seen before. */
describe('the idempotency key of a run', () => {
  const enclave = 'keyed';
  const engines = new Map<string, EngineProcess>();
  const stage = useStage({
    engineRoute: { kind: 'origin', originOf: ({ name }) => engines.get(name)?.url ?? 'http://127.0.0.1:1' },
  });
  const as = (who: Person | 'bearer') => stage().as(who);

  beforeAll(async () => {
    const body = 'let n = 0; export default async (_ctx: any, input: any) => ({ n: ++n, ...input });';
    for (const name of ['one', 'two']) engines.set(name, await startEngine({ modules: { count: body } }));
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'max@example.com'] });
    for (const name of ['one', 'two']) {
      // Who may run it, and not read it: the key of somebody else must not be a way to his results.
      await as('mia').ok('wf_apply', { enclave, ...helloWorkflow(name), mode: 'member-run' });
    }
  }, 60_000);
  afterAll(() => Promise.all([...engines.values()].map((engine) => engine.stop())));

  const run = (who: Person | 'bearer', key: string, input: JsonObject = {}, name = 'one') =>
    as(who).ok('wf_run', { enclave, name, idempotency_key: key, input });

  it('never runs twice for one caller: the answer is that of then, and says so', async () => {
    const first = await run('mia', 'nightly', { secret: 'of-mia' });
    expect(first).toMatchObject({ status: 'succeeded', output: { count: { secret: 'of-mia' } } });
    expect(first).not.toHaveProperty('repeated');
    const again = await run('mia', 'nightly', { secret: 'another' });
    expect(again).toMatchObject({ run_id: first.run_id, output: first.output, repeated: true });
    const { runs } = await as('mia').ok('wf_runs', { enclave, name: 'one' });
    expect((runs as JsonObject[]).filter(({ run_id }) => run_id === first.run_id)).toHaveLength(1);
    expect(await as('mia').ok('wf_runs', { enclave, name: 'one', run_id: 'nightly' })).toMatchObject({
      run: { run_id: first.run_id, output: first.output },
    });
  });

  // Harm prevented: whoever may only run a tentacle read the results of others by guessing their keys, and could take
  // their place by running with the key first.
  it('of somebody else is an unknown one: neither his result nor his place is to be had', async () => {
    const mias = await run('mia', 'report-2026-07', { secret: 'of-mia' });
    for (const key of ['report-2026-07', String(mias.run_id)]) {
      const foreign = await run('max', key, { own: true });
      expect(foreign).not.toHaveProperty('repeated');
      expect(JSON.stringify(foreign)).not.toContain('of-mia');
    }
    await run('max', 'taken-first', { by: 'max' });
    expect(await run('mia', 'taken-first', { by: 'mia' })).toMatchObject({ output: { count: { by: 'mia' } } });
  });

  it('is one for each tentacle', async () => {
    await run('mia', 'shared', {}, 'one');
    expect(await run('mia', 'shared', {}, 'two')).not.toHaveProperty('repeated');
  });

  it('is the id itself for a caller with the bearer token, who is nobody in particular', async () => {
    expect(await run('bearer', 'ci-1')).toMatchObject({ run_id: 'ci-1', status: 'succeeded' });
    expect(await run('bearer', 'ci-1')).toMatchObject({ run_id: 'ci-1', repeated: true });
  });

  it('of any length gives an id that wf_runs takes, another one for another key', () => {
    const long = 'k'.repeat(128);
    const ids = [long, `${'k'.repeat(127)}x`, 'k'].map((key) => runIdOf(key, people.mia));
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9][-A-Za-z0-9_.:]{0,127}$/);
    expect(runIdOf('k', { ...people.mia, name: 'renamed' })).toBe(runIdOf('k', people.mia));
  });

  it('an output that the engine has cut by then comes as text that says so', async () => {
    const text = 'x'.repeat(70_000);
    await run('mia', 'large', { text });
    const again = await run('mia', 'large');
    expect(again).toMatchObject({ repeated: true, output_truncated: true });
    expect(again).not.toHaveProperty('output');
    expect(String(again.output_text)).toMatch(/^\{"count":\{"n":\d+,"text":"xxx/);
  });

  it.each<[string, JsonObject]>([
    ['a run id of the first tentacle, asked of the second,', { name: 'two' }],
    ['a run id of the second tentacle, asked of the first,', { name: 'one' }],
  ])('%s answers like one that never was, byte for byte', async (_what, place) => {
    const known = await run('mia', `not-in-${place.name}`, {}, place.name === 'two' ? 'one' : 'two');
    const ask = async (run_id: string) => (await as('mia').call('wf_runs', { enclave, ...place, run_id })).text;
    const absent = 'x'.repeat(String(known.run_id).length);
    expect((await ask(String(known.run_id))).replaceAll(String(known.run_id), absent)).toBe(await ask(absent));
    expect(await ask(absent)).toContain('"not_found"');
  });

  it('a refusal of the engine is told in its own words', async () => {
    const error = await as('mia').refused('wf_run', { enclave, name: 'one', input: { text: 'x'.repeat(1_100_000) } });
    expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('1048576 bytes') });
  });

  it('a ConfigMap of others in the place of the record is neither shown nor taken over', async () => {
    const foreign = [{ run_id: 'forged', trigger: 'manual', status: 'succeeded', started_at: '2026-01-01T00:00:00Z' }];
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('three'), mode: 'member-run' });
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: enclave, name: 'three-runs' };
    stage().fake.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'three-runs', namespace: enclave },
      data: { 'runs.json': JSON.stringify(foreign) },
    });
    const before = await stage().harness.cluster.reader.get(ref);
    const one = engines.get('one');
    if (one) engines.set('three', one);
    await run('mia', 'recorded', {}, 'three');
    engines.delete('three');
    const { runs } = await as('mia').ok('wf_runs', { enclave, name: 'three' });
    expect(JSON.stringify(runs)).not.toContain('forged');
    expect(await stage().harness.cluster.reader.get(ref)).toEqual(before);
    expect(isJsonObject(before?.metadata.labels)).toBe(false);
  });
});
