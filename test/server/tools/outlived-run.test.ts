import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';

// Harm prevented: a removal leaves something behind, and whoever makes a tentacle of that name next reads of the runs of
// somebody else's.
describe('a run that outlives its tentacle', () => {
  const enclave = 'outlived';
  const name = 'report';
  let engine: Server;
  let origin = '';
  /** Called when a run has come to the engine, before it answers: an engine that is told to end answers first. */
  let meanwhile: () => Promise<unknown> = async () => undefined;
  /** What the engine that answers remembers. */
  let remembered: JsonObject[] = [];
  const stage = useStage({ engineRoute: { kind: 'origin', originOf: () => origin } });
  const as = (who: Person | 'bearer') => stage().as(who);

  beforeAll(async () => {
    engine = createServer(async (request, response) => {
      if (request.method === 'POST') await meanwhile();
      const run_id = request.headers['x-tentacular-run-id'] ?? '';
      const run = { run_id, success: false, error: { node: 'n', message: 'of mia' }, duration_ms: 1, nodes: [] };
      const one = remembered.find((known) => request.url === `/runs/${known.run_id}`);
      response.end(JSON.stringify(request.method === 'POST' ? run : (one ?? { runs: remembered })));
    });
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'max@example.com'] });
  });
  afterAll(() => engine.close());

  const record = () =>
    stage().harness.cluster.reader.get({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: enclave,
      name: `${name}-runs`,
    });
  const make = (who: Person) => as(who).ok('wf_apply', { enclave, ...helloWorkflow(name), mode: 'private' });
  const run = (who: Person) => as(who).ok('wf_run', { enclave, name });

  it('is recorded nowhere once that is removed', async () => {
    await make('mia');
    meanwhile = () => as('mia').ok('wf_remove', { enclave, name });
    expect(await run('mia')).toMatchObject({ status: 'failed' });
    expect(await record()).toBeUndefined();
  });

  it('nor with the runs of one that was made under its name since', async () => {
    await make('mia');
    meanwhile = async () => {
      meanwhile = async () => undefined;
      await as('mia').ok('wf_remove', { enclave, name });
      await make('max');
      await run('max');
    };
    const { run_id } = await run('mia');
    const { runs } = await as('max').ok('wf_runs', { enclave, name });
    expect(runs).toHaveLength(1);
    expect(JSON.stringify(runs)).not.toContain(JSON.stringify(run_id));
  });

  // As long as the new pod is not ready, a Service leads to the one that drains.
  it('is not told by the engine of one before, which still answers', async () => {
    const was = { trigger: 'manual', status: 'succeeded', outputs: { text: 'of mia' } };
    remembered = [{ ...was, run_id: 'before', started_at: new Date(Date.now() - 60_000).toISOString() }];
    const anew = { ...helloWorkflow('drains'), mode: 'private' };
    await as('max').ok('wf_apply', { enclave, ...anew });
    const ask = (more: JsonObject) => as('max').call('wf_runs', { enclave, name: 'drains', ...more });
    expect((await ask({})).result).toMatchObject({ runs: [] });
    expect((await ask({ run_id: 'before' })).error).toMatchObject({ code: 'not_found' });
    await as('max').ok('wf_apply', { enclave, ...helloWorkflow('drains', { description: 'next' }) });
    expect(JSON.stringify(await stage().harness.runs.read({ enclave, name: 'drains' }))).not.toContain('before');
    remembered = [{ ...was, run_id: 'since', started_at: new Date(Date.now() + 1000).toISOString() }];
    expect((await ask({ run_id: 'since' })).result).toMatchObject({ run: { output: { text: 'of mia' } } });
  });
});
