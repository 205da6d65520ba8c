import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
  const stage = useStage({ engineRoute: { kind: 'origin', originOf: () => origin } });
  const as = (who: Person | 'bearer') => stage().as(who);

  beforeAll(async () => {
    engine = createServer(async (request, response) => {
      if (request.method === 'POST') await meanwhile();
      const run_id = request.headers['x-tentacular-run-id'] ?? '';
      const run = { run_id, success: false, error: { node: 'n', message: 'of mia' }, duration_ms: 1, nodes: [] };
      response.end(JSON.stringify(request.method === 'POST' ? run : { runs: [] }));
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
});
