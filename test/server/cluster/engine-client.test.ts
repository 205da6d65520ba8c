import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, createCluster, type RunRequest } from '../../../server/cluster/index.ts';
import { startEngine } from '../../engine/support/engine-process.ts';
import { type FakeApiServer, startFakeApiServer } from '../../support/fake-api-server.ts';
import { refusal } from './suite-apply.ts';

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

const target = { enclave: 'team', name: 'hello' };

describe('engine client', () => {
  let api: FakeApiServer;
  let cluster: Cluster;
  let answer: Answer;
  const engine = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    answer(request, response, body);
  });

  beforeAll(async () => {
    api = await startFakeApiServer();
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    const { port } = engine.address() as AddressInfo;
    cluster = await createCluster({
      connection: { kind: 'direct', server: api.url },
      engineRoute: { kind: 'origin', originOf: ({ name }) => `http://127.0.0.1:${name === 'dead' ? 1 : port}` },
    });
    const labels = (name: string) => ({
      'app.kubernetes.io/managed-by': 'tentacular',
      'tentacular.io/enclave': 'team',
      'tentacular.io/tentacle': name,
    });
    for (const name of ['hello', 'dead']) {
      api.put({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace: 'team', labels: labels(name) },
      });
    }
  });
  afterAll(async () => {
    await cluster.close();
    engine.closeAllConnections();
    await new Promise((resolve) => engine.close(resolve));
    await api.close();
  });

  const json =
    (status: number, body: unknown): Answer =>
    (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };

  // Harm prevented: a run right after a restart failed, because the Service led to the pod that had just gone.
  it('a run waits for a connection that is refused for a moment; a request that was sent is not sent again', async () => {
    const { port } = engine.address() as AddressInfo;
    let calls = 0;
    answer = (_request, response) => {
      calls += 1;
      response.writeHead(200).end(JSON.stringify({ success: true, run_id: 'r0' }));
    };
    await new Promise((resolve) => engine.close(resolve));
    const run = cluster.engine.run(target, {});
    setTimeout(() => engine.listen(port, '127.0.0.1'), 400);
    expect((await run).runId).toBe('r0');
    expect(calls).toBe(1);
    answer = (request) => {
      calls += 1;
      request.socket.destroy();
    };
    expect((await refusal(cluster.engine.run(target, {}))).code).toBe('unavailable');
    expect(calls).toBe(2);
  });

  it('a run carries input, id, trigger and trace, and its result comes back typed', async () => {
    let seen: { url?: string; headers?: IncomingMessage['headers']; body?: string } = {};
    answer = (request, response, body) => {
      seen = { url: request.url ?? '', headers: request.headers, body };
      const reply = { success: true, run_id: 'r1', outputs: { a: 1 }, duration_ms: 12, nodes: [{ name: 'a' }] };
      json(200, reply)(request, response, body);
    };
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const run = { input: { x: 1 }, runId: 'r1', trigger: 'cron:daily', traceparent, async: true };
    expect(await cluster.engine.run(target, run)).toEqual({
      success: true,
      runId: 'r1',
      outputs: { a: 1 },
      durationMs: 12,
      nodes: [{ name: 'a' }],
      accepted: false,
    });
    expect(seen.url).toBe('/run');
    expect(seen.body).toBe('{"x":1}');
    expect(seen.headers).toMatchObject({
      'x-tentacular-run-id': 'r1',
      'x-tentacular-trigger': 'cron:daily',
      traceparent,
      prefer: 'respond-async',
    });
  });

  it('a failed run is a reply with its error, an accepted one says so', async () => {
    answer = json(500, { success: false, run_id: 'r2', error: { node: 'a', message: 'boom' } });
    expect(await cluster.engine.run(target, {})).toMatchObject({
      success: false,
      error: { node: 'a' },
      accepted: false,
    });
    answer = json(202, { run_id: 'r3' });
    expect(await cluster.engine.run(target, {})).toEqual({ runId: 'r3', accepted: true });
  });

  it('refusals of the engine become codes that say whether to try again', async () => {
    const codes = async (status: number, body: unknown) => {
      answer = json(status, body);
      const error = await refusal(cluster.engine.run(target, { runId: 'r' }));
      return `${error.code} ${error.retryable}`;
    };
    expect(await codes(413, {})).toBe('invalid_input false');
    expect(await codes(400, {})).toBe('invalid_input false');
    expect(await codes(408, {})).toBe('timeout true');
    expect(await codes(414, {})).toBe('invalid_input false');
    expect(await codes(422, {})).toBe('invalid_input false');
    expect(await codes(431, {})).toBe('invalid_input false');
    expect(await codes(429, {})).toBe('unavailable true');
    expect(await codes(503, {})).toBe('unavailable true');
    expect(await codes(500, 'a proxy speaking')).toBe('cluster_error false');
    expect(await codes(200, { hello: 'no engine' })).toBe('cluster_error false');
  });

  it('what an engine says of its refusal is told, cleaned and cut', async () => {
    const said = `no\u001b[2J\u202e JSON ${'x'.repeat(5000)}`;
    answer = json(400, { success: false, error: { code: 'invalid_input', message: said } });
    const { message } = await refusal(cluster.engine.run(target, {}));
    expect(message).toMatch(/refuses the request: no JSON x+…$/);
    expect(message.length).toBeLessThan(400);
  });

  // Harm prevented: a message that no engine writes was looked for, so nobody learnt what was wrong with his input.
  it('and a real engine says it there, for each kind of request that it refuses', async () => {
    const real = await startEngine({ modules: { a: 'export default () => 1;' } });
    const direct = await createCluster({
      connection: { kind: 'direct', server: api.url },
      engineRoute: { kind: 'origin', originOf: () => real.url },
    });
    const told = async (run: RunRequest) => {
      const { code, message } = await refusal(direct.engine.run(target, run));
      return `${code}: ${message}`;
    };
    expect(await told({ runId: 'ü' })).toMatch(/^invalid_input: .*x-tentacular-run-id must be/);
    expect(await told({ trigger: 'x' })).toMatch(/^invalid_input: .*x-tentacular-trigger must be/);
    expect(await told({ input: 'x'.repeat(1_100_000) })).toMatch(/^invalid_input: .*larger than 1048576 bytes/);
    expect(await told({ traceparent: 'x'.repeat(20_000) })).toMatch(/^invalid_input: .*headers/);
    const first = await direct.engine.run(target, { runId: 'again' });
    expect(first).toMatchObject({ success: true });
    expect(first).not.toHaveProperty('repeated');
    expect(await direct.engine.run(target, { runId: 'again' })).toMatchObject({ success: true, repeated: true });
    await expect(direct.engine.findRun(target, 'x'.repeat(5000))).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('the URL is longer'),
    });
    await direct.close();
    await real.stop();
  }, 30_000);

  it('a redirect is not followed: a workflow cannot send the control plane elsewhere', async () => {
    let asked = 0;
    answer = (_request, response) => {
      asked++;
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    };
    expect((await refusal(cluster.engine.run(target, {}))).code).toBe('cluster_error');
    expect(asked).toBe(1);
  });

  it('an engine that does not answer is a timeout within the deadline; an endless answer is cut', async () => {
    answer = () => undefined;
    const started = Date.now();
    expect((await refusal(cluster.engine.run(target, { timeoutMs: 150 }))).code).toBe('timeout');
    // Without that deadline it would be 120 s.
    expect(Date.now() - started).toBeLessThan(10_000);
    answer = (_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && response.write(chunk)) {
          // Until the pipe is full.
        }
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    expect((await refusal(cluster.engine.run(target, { timeoutMs: 15_000 }))).code).toBe('unavailable');
  });

  it('no tentacle is not_found, no reachable pod is unavailable, a hostile name reaches nothing', async () => {
    answer = json(200, { run_id: 'x' });
    expect((await refusal(cluster.engine.run({ enclave: 'team', name: 'dead' }, {}))).code).toBe('unavailable');
    expect((await refusal(cluster.engine.health({ enclave: 'team', name: 'x.evil.example/' }))).code).toBe('not_found');
    expect((await refusal(cluster.engine.health({ enclave: '../kube-system', name: 'hello' }))).code).toBe('not_found');
  });

  it('health, runs and one run are read; an unknown run is undefined', async () => {
    answer = (request, response, body) => {
      if (request.url === '/health?detail=1') return json(200, { runs: 3 })(request, response, body);
      if (request.url === '/health') return json(503, { status: 'starting' })(request, response, body);
      if (request.url === '/runs')
        return json(200, { runs: [{ run_id: 'b' }, { run_id: 'a' }] })(request, response, body);
      return json(404, {})(request, response, body);
    };
    expect(await cluster.engine.health(target, { detail: true })).toEqual({ runs: 3 });
    expect((await refusal(cluster.engine.health(target))).code).toBe('unavailable');
    expect(await cluster.engine.runs(target, { limit: 1 })).toEqual([{ run_id: 'b' }]);
    expect(await cluster.engine.findRun(target, 'nope/../x')).toBeUndefined();
  });
});
