import { describe, expect, it } from 'vitest';
import { finishedRun, keptOutputBytes, type RunEntry, recordText, shortened } from '../../../engine/runs/run-entry.ts';
import { listedRuns, RunHistory, rememberedRuns } from '../../../engine/runs/run-history.ts';

const redact = { text: (text: string) => text, json: (text: string) => text };

function entry(runId: string, output?: unknown): RunEntry {
  const base = { runId, trigger: 'manual', startedAt: 0 };
  if (output === undefined) return { ...base, done: new Promise(() => undefined) };
  const outputs = new Map([['a', JSON.stringify(output)]]);
  const finished = finishedRun({ success: true, outputs, nodes: [], durationMs: 1.26 }, 5, redact);
  return { ...base, done: Promise.resolve(finished), finished: shortened(finished) };
}

const record = (run: RunEntry): unknown => JSON.parse(recordText(run, { outputs: true }));

describe('the history', () => {
  it('lists the last 100, the newest first', () => {
    const history = new RunHistory();
    for (let index = 0; index < 150; index++) history.add(entry(`r${index}`, index));
    const ids = history.list().map(({ runId }) => runId);
    expect([ids.length, ids[0], ids.at(-1)]).toEqual([listedRuns, 'r149', 'r50']);
  });

  it('still knows older ids, without their outputs', () => {
    const history = new RunHistory();
    for (let index = 0; index <= listedRuns; index++) history.add(entry(`r${index}`, index));
    const oldest = history.find('r0');
    expect(oldest && record(oldest)).toMatchObject({ status: 'succeeded', outputs: '', outputs_truncated: true });
    const next = history.find('r1');
    expect(next && record(next)).toMatchObject({ outputs: { a: 1 } });
  });

  it('forgets the oldest beyond 1000, but never a run that is under way', () => {
    const history = new RunHistory();
    history.add(entry('running'));
    for (let index = 0; index < rememberedRuns; index++) history.add(entry(`r${index}`, index));
    expect(history.find('running')).toBeDefined();
    expect(history.find('r0')).toBeUndefined();
    expect(history.find('r1')).toBeDefined();
  });
});

describe('a record', () => {
  it('of a run under way says only what is known', () => {
    expect(record(entry('r'))).toEqual({
      run_id: 'r',
      trigger: 'manual',
      status: 'running',
      started_at: '1970-01-01T00:00:00.000Z',
    });
  });

  it('of a finished one says how it ended', () => {
    expect(record(entry('r', { x: 1 }))).toEqual({
      run_id: 'r',
      trigger: 'manual',
      status: 'succeeded',
      started_at: '1970-01-01T00:00:00.000Z',
      finished_at: '1970-01-01T00:00:00.005Z',
      outputs: { a: { x: 1 } },
      duration_ms: 1.3,
      nodes: [],
    });
  });

  it('keeps 64 KiB of outputs; more is cut to text, with a flag', () => {
    const fits = 'x'.repeat(keptOutputBytes - '{"a":""}'.length);
    expect(record(entry('r', fits))).toMatchObject({ outputs: { a: fits } });
    const cut = record(entry('r', `${fits}x`));
    expect(cut).toMatchObject({ outputs: `{"a":"${fits}x"`, outputs_truncated: true });
  });
});
