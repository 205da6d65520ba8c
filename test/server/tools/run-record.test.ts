import { describe, expect, it } from 'vitest';
import { keptRuns, mergeRuns } from '../../../server/tools/run-record.ts';
import { nodeRows, outputJson, type RunSummary, readSummary, summaryOf } from '../../../server/tools/run-summary.ts';

const run = (run_id: string, second: number, status: RunSummary['status'] = 'succeeded'): RunSummary => ({
  run_id,
  trigger: 'manual',
  status,
  started_at: `2026-07-28T12:00:${String(second).padStart(2, '0')}.000Z`,
});

describe('the record of runs', () => {
  it('is merged by id, newest first', () => {
    const merged = mergeRuns([run('b', 2)], [run('a', 1), run('b', 2), run('c', 3)]);
    expect(merged.map(({ run_id }) => run_id)).toEqual(['c', 'b', 'a']);
  });

  it('a run that is known to be over never goes back to running, whichever list says so', () => {
    for (const lists of [
      [[run('a', 1, 'running')], [run('a', 1, 'failed')]],
      [[run('a', 1, 'failed')], [run('a', 1, 'running')]],
    ] as const) {
      expect(mergeRuns(...lists).map(({ status }) => status)).toEqual(['failed']);
    }
  });

  it('keeps the newest hundred', () => {
    const many = Array.from({ length: 150 }, (_, index) => ({
      ...run(`r${index}`, 0),
      started_at: new Date(1_785_000_000_000 + index * 1000).toISOString(),
    }));
    const merged = mergeRuns(many.slice(0, 75), many.slice(75));
    expect(merged).toHaveLength(keptRuns);
    expect(merged[0]?.run_id).toBe('r149');
    expect(merged.at(-1)?.run_id).toBe('r50');
  });

  it('holds no outputs, and what others wrote into it is cleaned or left out', () => {
    const summary = summaryOf({
      run_id: 'a\u200b',
      trigger: 'cron:daily',
      status: 'failed',
      started_at: '2026-07-28T12:00:00.000Z',
      duration_ms: 5,
      outputs: { secret: 'CANARY' },
      error: { node: 'n', message: '\u001b[31mboom' },
    });
    expect(summary).toEqual({
      run_id: 'a',
      trigger: 'cron:daily',
      status: 'failed',
      started_at: '2026-07-28T12:00:00.000Z',
      duration_ms: 5,
      failed_node: 'n',
      error: 'boom',
    });
    expect(readSummary(summary)).toEqual(summary);
    for (const hostile of [null, 1, 'x', [], {}, { run_id: 1 }, { run_id: 'a', started_at: {} }]) {
      expect(readSummary(hostile)).toBeUndefined();
    }
    expect(readSummary({ run_id: 'a', started_at: 'x', status: 'hacked', trigger: 7 })).toMatchObject({
      status: 'unknown',
      trigger: 'manual',
    });
  });

  it('nodes that are none are left out', () => {
    expect(nodeRows([{ name: 'a', status: 'succeeded', attempts: 2, duration_ms: 1.5 }, 7, { status: 'x' }])).toEqual([
      { name: 'a', status: 'succeeded', attempts: 2, duration_ms: 1.5 },
    ]);
  });

  it('an output that is too long is not given as JSON', () => {
    expect(outputJson({ a: 'x'.repeat(100) })).toEqual({ a: 'x'.repeat(100) });
    expect(outputJson({ a: 'x'.repeat(50_000) })).toBeUndefined();
    expect(outputJson(Array.from({ length: 50_000 }, () => 1))).toBeUndefined();
  });
});
