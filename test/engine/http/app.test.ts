import { describe, expect, it } from 'vitest';
import { maxHeaderLength, maxUrlLength } from '../../../engine/http/app.ts';
import { bodyDeadlineMs, maxBodyBytes } from '../../../engine/http/read-body.ts';
import { engineOf } from '../support/engine.ts';
import { ManualTime, settle } from '../support/manual-time.ts';

const echo = { echo: (_: unknown, input: unknown) => input };

function gate() {
  let open: (value?: unknown) => void = () => undefined;
  const opened = new Promise<unknown>((resolve) => (open = resolve));
  return { node: () => opened, open };
}

async function read(response: Response): Promise<{ status: number; body: unknown }> {
  return { status: response.status, body: await response.json() };
}

const refusal = (code: string, message: unknown) => ({ success: false, error: { code, message } });

describe('POST /run', () => {
  it('answers 200 with outputs, duration and nodes', async () => {
    const { run } = engineOf(echo);
    const response = await run({ body: '{"city":"Wien"}', headers: { 'x-tentacular-run-id': 'r1' } });
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(await read(response)).toEqual({
      status: 200,
      body: {
        success: true,
        run_id: 'r1',
        outputs: { echo: { city: 'Wien' } },
        duration_ms: expect.any(Number),
        nodes: [{ name: 'echo', status: 'ok', attempts: 1, duration_ms: expect.any(Number) }],
      },
    });
  });

  it('answers 500 with the same and the error', async () => {
    const { run } = engineOf({ a: () => Promise.reject(new Error('no')), b: () => 1 });
    expect(await read(await run())).toMatchObject({
      status: 500,
      body: {
        success: false,
        outputs: { b: 1 },
        error: { node: 'a', message: 'no' },
        nodes: [{ name: 'a', status: 'failed', error: 'no' }, { name: 'b' }],
      },
    });
  });

  it('without a body gives {} to the roots and makes up a run id', async () => {
    const { run } = engineOf(echo);
    const { body } = await read(await run());
    expect(body).toMatchObject({ outputs: { echo: {} }, run_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  });

  it.each(['null', '0', '"text"', '[1]'])('takes any JSON: %s', async (body) => {
    const { run } = engineOf(echo);
    expect((await read(await run({ body }))).body).toMatchObject({ outputs: { echo: JSON.parse(body) } });
  });

  it('tells nodes what started them', async () => {
    const { run } = engineOf({
      a: ({ trigger, runId, node, attempt, enclave, tentacle, version }) => [
        trigger,
        runId,
        node,
        attempt,
        enclave,
        tentacle,
        version,
      ],
    });
    const response = await run({
      headers: { 'x-tentacular-trigger': 'cron:daily', 'x-tentacular-run-id': 'uid/daily/2026-01-01T00:00:00Z' },
    });
    expect((await read(response)).body).toMatchObject({
      outputs: {
        a: [{ type: 'cron', name: 'daily' }, 'uid/daily/2026-01-01T00:00:00Z', 'a', 1, 'team', 'sketch', '1.0.0'],
      },
    });
  });

  it('gives every node the input of the run, the config frozen, and the trace context', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { run, lines } = engineOf(
      {
        first: () => 'x',
        second: (ctx) => {
          const change = () => Object.assign(ctx.config.limits as object, { rows: 2 });
          let refused = false;
          try {
            change();
          } catch {
            refused = true;
          }
          return { input: ctx.input, config: ctx.config, refused, traceparent: ctx.traceparent };
        },
      },
      { edges: ['first -> second'], config: { limits: { rows: 1 }, timeout: '10s' } },
    );
    const response = await run({ body: '{"a":1}', headers: { traceparent } });
    expect((await read(response)).body).toMatchObject({
      outputs: {
        second: { input: { a: 1 }, config: { limits: { rows: 1 }, timeout: '10s' }, refused: true, traceparent },
      },
    });
    expect(lines[0]).toContain('"trace_id":"0af7651916cd43dd8448eb211c80319c"');
  });
});

describe('what is no request to run', () => {
  it.each([
    ['no JSON', { body: '{"a":' }, 400, 'invalid_input', /^the body is no JSON: /],
    ['no UTF-8', { body: new Uint8Array([0x22, 0xff, 0x22]) }, 400, 'invalid_input', /UTF-8/],
    [
      'nested too deeply',
      { body: '['.repeat(200_000) + ']'.repeat(200_000) },
      400,
      'invalid_input',
      /^the body is nested deeper/,
    ],
    [
      'too large',
      { body: `"${'x'.repeat(maxBodyBytes)}"` },
      413,
      'too_large',
      `the body is larger than ${maxBodyBytes} bytes`,
    ],
    [
      'an unknown trigger',
      { headers: { 'x-tentacular-trigger': 'webhook' } },
      400,
      'invalid_input',
      /^x-tentacular-trigger must be manual/,
    ],
    [
      'a run id with spaces',
      { headers: { 'x-tentacular-run-id': 'a b' } },
      400,
      'invalid_input',
      /^x-tentacular-run-id/,
    ],
    ['an empty run id', { headers: { 'x-tentacular-run-id': '' } }, 400, 'invalid_input', /^x-tentacular-run-id/],
    ['too many headers', { headers: { 'x-big': 'x'.repeat(maxHeaderLength) } }, 431, 'too_large', /^the headers/],
  ])('%s is refused', async (_what, init, status, code, message) => {
    const { run, engine } = engineOf(echo);
    const matching = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(await read(await run(init))).toEqual({ status, body: refusal(code, matching) });
    expect(engine.detail().runs).toBe(0);
  });

  it('a body that lies about its length is cut off where the limit is', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(0x20));
      },
    });
    const { run } = engineOf(echo);
    expect((await run({ body: endless, duplex: 'half' })).status).toBe(413);
    expect(sent).toBeLessThan(maxBodyBytes * 2);
  });

  it('a body that does not arrive is given up', async () => {
    const time = new ManualTime();
    const { run } = engineOf(echo, { time });
    const answer = run({ body: new ReadableStream({}), duplex: 'half' });
    await time.advance(bodyDeadlineMs);
    expect(await read(await answer)).toEqual({
      status: 408,
      body: refusal('timeout', expect.stringContaining('15000 ms')),
    });
  });

  it.each([
    ['GET', '/run', 405, 'POST'],
    ['POST', '/health', 405, 'GET, HEAD'],
    ['DELETE', '/runs', 405, 'GET, HEAD'],
    ['PUT', '/runs/x', 405, 'GET, HEAD'],
    ['GET', '/', 404, null],
    ['GET', '/run/', 404, null],
    ['GET', '/runsx', 404, null],
    ['GET', '/../etc/passwd', 404, null],
    ['GET', `/${'x'.repeat(maxUrlLength)}`, 414, null],
    ['GET', '/runs/unknown', 404, null],
    ['GET', '/runs/%ff', 400, null],
    ['GET', '/runs?limit=0', 400, null],
    ['GET', '/runs?limit=101', 400, null],
    ['GET', '/runs?limit=x', 400, null],
  ])('%s %s is answered with %i', async (method, path, status, allow) => {
    const { call } = engineOf(echo);
    const response = await call(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    expect(await response.json()).toMatchObject({ success: false, error: { message: expect.any(String) } });
  });
});

describe('a run id that was seen before', () => {
  const withId = { headers: { 'x-tentacular-run-id': 'once' } };

  it('answers with the first result and does not run again', async () => {
    let runs = 0;
    const { run } = engineOf({ count: () => ++runs });
    await run(withId);
    expect(await read(await run({ ...withId, body: '{"other":"input"}' }))).toMatchObject({
      status: 200,
      body: { run_id: 'once', outputs: { count: 1 }, repeated: true },
    });
    expect(runs).toBe(1);
  });

  it('answers a failure as the failure that it was', async () => {
    const { run } = engineOf({ a: () => Promise.reject(new Error('first')) });
    await run(withId);
    expect(await read(await run(withId))).toMatchObject({
      status: 500,
      body: { error: { message: 'first' }, repeated: true },
    });
  });

  it('waits for the first one while that is under way, even at the limit of runs', async () => {
    const { node, open } = gate();
    const { run, engine } = engineOf({ a: node });
    const answers = [run(withId), run(withId), run(withId)];
    await settle();
    expect(engine.detail().in_flight).toBe(1);
    open('done');
    const bodies = await Promise.all(answers.map(async (answer) => (await read(await answer)).body));
    expect(bodies).toMatchObject([{ outputs: { a: 'done' } }, { repeated: true }, { repeated: true }]);
    expect(engine.detail().runs).toBe(1);
  });
});

describe('limits', () => {
  it('max_concurrency runs at once; one more is told to come again', async () => {
    const { node, open } = gate();
    const { run } = engineOf({ a: node }, { config: { max_concurrency: 2 } });
    const two = [run(), run()];
    await settle();
    const third = await run();
    expect(third.headers.get('retry-after')).toBe('1');
    expect(await read(third)).toEqual({
      status: 429,
      body: refusal('too_many_runs', '2 of 2 runs are under way (config.max_concurrency)'),
    });
    open();
    await Promise.all(two);
    expect((await run()).status).toBe(200);
  });

  it('a run that timed out frees its place though its node runs on, and that is counted', async () => {
    const time = new ManualTime();
    const { node, open } = gate();
    const { run, engine } = engineOf({ a: node }, { time, config: { timeout: '1s' } });
    const first = run();
    await time.advance(1000);
    expect((await first).status).toBe(500);
    expect(engine.detail()).toMatchObject({ in_flight: 0, abandoned_nodes: 1 });
    open();
    await settle();
    expect(engine.detail().abandoned_nodes).toBe(0);
  });
});

describe('asynchronously', () => {
  const prefer = { headers: { prefer: 'respond-async, wait=5', 'x-tentacular-run-id': 'a/b' } };

  it('answers 202 with the run id at once; the result is at /runs/<id>', async () => {
    const { node, open } = gate();
    const { run, call } = engineOf({ a: node });
    const accepted = await run(prefer);
    expect([accepted.status, accepted.headers.get('location'), accepted.headers.get('preference-applied')]).toEqual([
      202,
      '/runs/a%2Fb',
      'respond-async',
    ]);
    expect(await accepted.json()).toEqual({ run_id: 'a/b', status: 'running' });
    expect((await read(await call('/runs/a%2Fb'))).body).toMatchObject({ run_id: 'a/b', status: 'running' });
    open('done');
    await settle();
    expect((await read(await call('/runs/a%2Fb'))).body).toMatchObject({ status: 'succeeded', outputs: { a: 'done' } });
    expect((await run(prefer)).status).toBe(200);
  });
});

describe('GET /runs', () => {
  it('lists the last runs without outputs, the newest first, as many as asked for', async () => {
    const { run, call } = engineOf(echo);
    for (const id of ['r1', 'r2', 'r3'])
      await run({ headers: { 'x-tentacular-run-id': id, 'x-tentacular-trigger': 'cron:daily' } });
    const { body } = await read(await call('/runs?limit=2'));
    expect(body).toMatchObject({
      runs: [{ run_id: 'r3', trigger: 'cron:daily', status: 'succeeded' }, { run_id: 'r2' }],
    });
    expect(JSON.stringify(body)).not.toContain('outputs');
  });
});

describe('GET /health', () => {
  it('is 503 before the modules are loaded, and so is /run', async () => {
    const { call, run } = engineOf(echo, { loading: true });
    expect(await read(await call('/health'))).toEqual({ status: 503, body: { status: 'loading' } });
    expect(await read(await run())).toEqual({
      status: 503,
      body: refusal('unavailable', 'the engine is loading and takes no runs'),
    });
  });

  it('is 200 afterwards', async () => {
    expect(await read(await engineOf(echo).call('/health'))).toEqual({ status: 200, body: { status: 'ok' } });
  });

  it('with detail counts what happened since the start', async () => {
    const { call, run } = engineOf({ a: (_, input) => (input === 1 ? 1 : Promise.reject(new Error('not one'))) });
    await run({ body: '1' });
    await run({ body: '2', headers: { 'x-tentacular-run-id': 'second', 'x-tentacular-trigger': 'cron:daily' } });
    expect((await read(await call('/health?detail=1'))).body).toEqual({
      status: 'ok',
      enclave: 'team',
      tentacle: 'sketch',
      version: '1.0.0',
      uptime_ms: expect.any(Number),
      in_flight: 0,
      abandoned_nodes: 0,
      unhandled_errors: 0,
      runs: 2,
      failures: 1,
      error_rate: 0.5,
      last_run: {
        run_id: 'second',
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        trigger: 'cron:daily',
        ok: false,
        duration_ms: expect.any(Number),
        error: 'not one',
      },
      nodes: { a: { count: 2, failures: 1, p50_ms: expect.any(Number), p95_ms: expect.any(Number) } },
    });
  });
});

describe('draining', () => {
  it('takes no new runs, lets those under way finish, and still answers for what it knows', async () => {
    const { node, open } = gate();
    const { engine, run, call } = engineOf({ a: node }, { config: { max_concurrency: 5 } });
    const first = run({ headers: { 'x-tentacular-run-id': 'first' } });
    await settle();
    const drained = engine.drain(60_000);
    expect(await read(await call('/health'))).toEqual({ status: 503, body: { status: 'draining' } });
    expect(await read(await run())).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    const again = run({ headers: { 'x-tentacular-run-id': 'first' } });
    open('done');
    expect((await read(await first)).body).toMatchObject({ success: true, outputs: { a: 'done' } });
    expect((await again).status).toBe(200);
    expect(await drained).toBe(0);
  });

  it('after the grace period ends what is left as failed, and says how many', async () => {
    const time = new ManualTime();
    const { engine, run } = engineOf({ a: gate().node }, { time });
    const first = run();
    await time.advance(0);
    const drained = engine.drain(1000);
    await time.advance(1000);
    expect((await read(await first)).body).toMatchObject({
      success: false,
      error: { node: 'a', message: 'the engine shut down before the run ended; still running: a' },
    });
    await time.advance(5000);
    expect(await drained).toBe(1);
    expect(time.pending).toBe(0);
  });
});

describe('a secret', () => {
  const canary = 'c4nary-t0ken-value';
  const setting = {
    secrets: { api: { token: canary } },
    contract: {
      api: { protocol: 'https', host: 'api.example.com', port: 443, auth: { type: 'bearer', secret: 'api.token' } },
    },
  };

  it('appears in no answer, no log line and no record, whatever a node does with it', async () => {
    const { run, call, lines } = engineOf(
      {
        leak: ({ dependency, log }) => {
          const { secret } = dependency('api');
          log.info(`it is ${secret}`, { secret, deep: [{ [String(secret)]: secret }] });
          return { secret, text: `Bearer ${secret}`, [String(secret)]: 1 };
        },
        fail: ({ dependency }) =>
          Promise.reject(new Error(`401 for ${dependency('api').secret}`, { cause: new Error(canary) })),
      },
      { ...setting, nodes: { leak: {}, fail: { retries: 1 } } },
    );
    const answer = await (await run({ headers: { 'x-tentacular-run-id': 'r1' } })).text();
    const others = await Promise.all(
      ['/runs', '/runs/r1', '/health?detail=1'].map(async (path) => (await call(path)).text()),
    );
    expect(answer).toContain('[redacted]');
    expect(lines.join()).toContain('[redacted]');
    expect([answer, ...others, ...lines].join()).not.toContain(canary);
  });

  it('still passes from node to node as it is', async () => {
    const { run } = engineOf(
      { login: ({ dependency }) => dependency('api').secret, use: (_, input) => input === canary },
      { ...setting, edges: ['login -> use'] },
    );
    expect((await read(await run())).body).toMatchObject({ outputs: { use: true } });
  });
});
