import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { shutDown } from '../../server/shutdown.ts';
import { createLogger } from '../../server/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { type Harness, post, startHarness } from './support/harness.ts';
import { type SlowApiServer, startSlowApiServer } from './support/slow-api-server.ts';

const status = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'wf_status', arguments: { enclave: 'team-a', name: 'hello' } },
};

describe('the end on SIGTERM', () => {
  let api: SlowApiServer;
  let harness: Harness;
  beforeEach(async () => {
    api = await startSlowApiServer();
    harness = await startHarness({ connection: api.connection });
  });
  afterEach(async () => {
    await harness.close().catch(() => undefined);
    await api.close();
  });

  const end = (drainSeconds: number, lameDuck = false) =>
    shutDown(
      {
        server: harness.server,
        metricsServer: createServer(),
        lifecycle: harness.lifecycle,
        metrics: harness.metrics,
        mcp: { close: async () => undefined },
        cluster: { close: async () => undefined },
        log: createLogger('silent', { write: () => undefined }),
        drainSeconds,
      },
      { lameDuck },
    );

  it('every request that was accepted is answered, then nobody is let in', async () => {
    const calls = Array.from({ length: 20 }, (_, id) => post(harness.endpoint, { ...status, id }));
    await eventually('all are under way', async () => harness.lifecycle.inFlight === 20, { intervalMs: 5 });
    const ended = end(10);
    expect((await fetch(`${harness.url}/readyz`).catch(() => ({ status: 503 }))).status).toBe(503);
    api.answer();
    const texts = await Promise.all(calls.map(async (call) => (await call).text()));
    expect(texts.filter((text) => text.includes('not_found'))).toHaveLength(20);
    expect(await ended).toBe(0);
    await expect(fetch(`${harness.url}/healthz`)).rejects.toThrow();
  });

  it('while endpoints still point here requests are served, over connections that are not kept', async () => {
    api.answer();
    // Four seconds of lame duck.
    const ended = end(16, true);
    const response = await post(harness.endpoint, status);
    expect([response.status, response.headers.get('connection')]).toEqual([200, 'close']);
    await response.text();
    expect((await fetch(`${harness.url}/readyz`)).status).toBe(503);
    expect(await ended).toBe(0);
  });

  it('what would wait for longer than there is time is told so, not cut off', async () => {
    const call = post(harness.endpoint, status);
    await eventually('it is under way', async () => api.waiting > 0, { intervalMs: 5 });
    const started = performance.now();
    const lost = await end(3);
    // The call itself would wait for 15 s.
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(lost).toBe(0);
    expect(await (await call).text()).toContain('"code":"unavailable"');
  });
});
