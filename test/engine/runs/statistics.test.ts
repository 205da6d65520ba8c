import { describe, expect, it } from 'vitest';
import type { NodeReport } from '../../../engine/run/execute.ts';
import { percentile, Statistics } from '../../../engine/runs/statistics.ts';

const run = (ok: boolean) => ({ run_id: 'r', at: '', trigger: 'manual', ok, duration_ms: 1 });
const node = (status: NodeReport['status'], durationMs = 1): NodeReport => {
  return { name: 'a', status, attempts: status === 'skipped' ? 0 : 1, durationMs };
};

describe('statistics', () => {
  it('before the first run are zeros, not NaN', () => {
    expect(new Statistics(['a']).snapshot()).toEqual({
      runs: 0,
      failures: 0,
      error_rate: 0,
      last_run: null,
      nodes: { a: { count: 0, failures: 0, p50_ms: null, p95_ms: null } },
    });
  });

  it('the error rate looks back on 100 runs, the counters on all', () => {
    const statistics = new Statistics([]);
    for (let index = 0; index < 50; index++) statistics.record(run(false), []);
    for (let index = 0; index < 75; index++) statistics.record(run(true), []);
    expect(statistics.snapshot()).toMatchObject({ runs: 125, failures: 50, error_rate: 0.25 });
  });

  it('a node counts where it was called, and fails where it was to blame', () => {
    const statistics = new Statistics(['a']);
    for (const status of ['ok', 'failed', 'timeout', 'cancelled', 'skipped'] as const) {
      statistics.record(run(status === 'ok'), [node(status)]);
    }
    expect(statistics.snapshot().nodes.a).toMatchObject({ count: 4, failures: 2 });
  });

  it('percentiles are over the last 100 durations', () => {
    const statistics = new Statistics(['a']);
    for (let ms = 0; ms < 200; ms++) statistics.record(run(true), [node('ok', ms)]);
    expect(statistics.snapshot().nodes.a).toMatchObject({ count: 200, p50_ms: 149, p95_ms: 194 });
  });
});

it.each([
  [[], 0.5, null],
  [[7], 0.5, 7],
  [[7], 0.95, 7],
  [[1, 2, 3, 4], 0.5, 2],
  [[4, 3, 2, 1], 0.95, 4],
  [[1.26], 0.5, 1.3],
])('percentile of %j at %d is %j', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected);
});
