import { describe, expect, it } from 'vitest';
import { executeRun, maxOutputBytes, type RunHooks, type RunOutcome } from '../../../engine/run/execute.ts';
import { type NodeCallable, planOf } from '../../../engine/run/plan.ts';
import { ManualTime, settle } from '../support/manual-time.ts';
import { type Sketch, workflowOf } from '../support/workflows.ts';

interface TestContext {
  readonly node: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
}
type Nodes = Readonly<Record<string, (input: unknown, context: TestContext) => unknown>>;

interface Started {
  readonly time: ManualTime;
  readonly outcome: Promise<RunOutcome>;
  readonly abandoned: Promise<void>[];
  readonly retries: string[];
  readonly shutdown: AbortController;
}

function start(nodes: Nodes, sketch: Partial<Sketch> = {}, input: unknown = {}): Started {
  const defaults = Object.fromEntries(Object.keys(nodes).map((name) => [name, {}]));
  const workflow = workflowOf({ nodes: defaults, ...sketch });
  const callables = new Map<string, NodeCallable<TestContext>>(
    Object.entries(nodes).map(([name, call]) => [name, (context, value) => call(value, context)]),
  );
  const time = new ManualTime();
  const shutdown = new AbortController();
  const abandoned: Promise<void>[] = [];
  const retries: string[] = [];
  const hooks: RunHooks<TestContext> = {
    time,
    shutdown: shutdown.signal,
    context: (node, attempt, signal) => ({ node, attempt, signal }),
    within: (_node, _attempt, action) => action(),
    abandoned: (settled) => abandoned.push(settled),
    retrying: (node, attempt, message, delayMs) => retries.push(`${node} ${attempt} ${message} ${delayMs}`),
  };
  const outcome = executeRun(planOf(workflow, callables), JSON.stringify(input), hooks);
  return { time, outcome, abandoned, retries, shutdown };
}

async function run(nodes: Nodes, sketch: Partial<Sketch> = {}, input: unknown = {}): Promise<RunOutcome> {
  const { time, outcome } = start(nodes, sketch, input);
  await time.advance(3_600_000);
  expect(time.pending).toBe(0);
  return outcome;
}

const outputsOf = (outcome: RunOutcome) =>
  Object.fromEntries([...outcome.outputs].map(([name, text]) => [name, JSON.parse(text)]));
const statusesOf = (outcome: RunOutcome) => outcome.nodes.map(({ name, status }) => `${name} ${status}`);
const never = () => new Promise<never>(() => undefined);
const untilAborted = (_: unknown, { signal }: TestContext) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

describe('input and output', () => {
  it('roots get the input of the run, one upstream passes its output as it is, several give an object by name', async () => {
    const seen: Record<string, unknown> = {};
    const keep =
      (result: unknown) =>
      (input: unknown, { node }: TestContext) => {
        seen[node] = input;
        return result;
      };
    const outcome = await run(
      { left: keep([1]), right: keep('two'), next: keep(null), join: keep({ done: true }) },
      { edges: ['left -> next', 'left -> join', 'right -> join'] },
      { city: 'Wien' },
    );
    expect(seen).toEqual({
      left: { city: 'Wien' },
      right: { city: 'Wien' },
      next: [1],
      join: { left: [1], right: 'two' },
    });
    expect(outcome.success).toBe(true);
  });

  it('outputs are those of the nodes that nobody reads', async () => {
    const outcome = await run({ a: () => 1, b: () => 2, c: () => 3 }, { edges: ['a -> b'] });
    expect(outputsOf(outcome)).toEqual({ b: 2, c: 3 });
  });

  it('a node cannot change what its siblings read', async () => {
    const mutate = (input: unknown) => {
      const list = Reflect.get(Object(input), 'list');
      list.push('mine');
      return list;
    };
    const outcome = await run(
      { source: () => ({ list: ['a'] }), one: mutate, two: mutate },
      { edges: ['source -> one', 'source -> two'] },
    );
    expect(outputsOf(outcome)).toEqual({ one: ['a', 'mine'], two: ['a', 'mine'] });
  });

  it('a retry gets the input as the first attempt did, not as it left it', async () => {
    const outcome = await run(
      {
        a: (input, { attempt }) => {
          const list = Reflect.get(Object(input), 'list');
          list.push(attempt);
          if (attempt === 1) throw new Error('once more');
          return list;
        },
      },
      { nodes: { a: { retries: 1 } } },
      { list: [] },
    );
    expect(outputsOf(outcome)).toEqual({ a: [2] });
  });

  it('undefined becomes null', async () => {
    expect(outputsOf(await run({ a: () => undefined }))).toEqual({ a: null });
  });

  it.each([
    ['a function', { rows: [{ id: () => 1 }] }, 'its output at rows[0].id is a function; JSON has no such value'],
    ['NaN', { rate: Number.NaN }, 'its output at rate is NaN; JSON has no such value'],
    ['a Map', new Map(), 'its output as a whole is a Map; JSON has no such value'],
    ['too much', 'x'.repeat(maxOutputBytes), `its output has ${maxOutputBytes + 2} bytes as JSON; at most`],
  ])('an output that is %s fails the node, without a retry', async (_what, value, message) => {
    let calls = 0;
    const outcome = await run(
      {
        a: () => {
          calls++;
          return value;
        },
      },
      { nodes: { a: { retries: 3 } } },
    );
    expect(outcome.error?.node).toBe('a');
    expect(outcome.error?.message).toContain(message);
    expect(calls).toBe(1);
  });

  it('the outputs of one run together are bounded', async () => {
    const big = () => 'x'.repeat(maxOutputBytes - 2);
    const nodes = { a: big, b: big, c: big, d: () => 1 };
    const outcome = await run(nodes, { edges: ['a -> b', 'b -> c', 'c -> d'] });
    expect(outcome.error).toEqual({
      node: 'd',
      message: 'its output brings the outputs of this run to 6291457 bytes; at most 6291456 are allowed',
    });
  });
});

describe('order', () => {
  it('the nodes of a stage run side by side, stages one after the other', async () => {
    const events: string[] = [];
    const gates = new Map<string, () => void>();
    const gated = (_: unknown, { node }: TestContext) => {
      events.push(`${node} starts`);
      return new Promise<void>((resolve) => gates.set(node, resolve));
    };
    const { time, outcome } = start({ a: gated, b: gated, c: gated }, { edges: ['a -> c'] });
    await time.advance(0);
    expect(events).toEqual(['a starts', 'b starts']);
    gates.get('a')?.();
    await settle();
    expect(events).toHaveLength(2);
    gates.get('b')?.();
    await settle();
    expect(events).toEqual(['a starts', 'b starts', 'c starts']);
    gates.get('c')?.();
    expect((await outcome).success).toBe(true);
    expect(time.pending).toBe(0);
  });
});

describe('failure', () => {
  it('a failed node ends the run: siblings are told by their signal, what follows is skipped', async () => {
    let reason: unknown;
    const outcome = await run(
      {
        bad: () => Promise.reject(new Error('no such city')),
        slow: (_, { signal }) =>
          new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => {
              reason = signal.reason;
              reject(signal.reason);
            }),
          ),
        after: () => 1,
      },
      { edges: ['bad -> after'] },
    );
    expect(outcome.error).toEqual({ node: 'bad', message: 'no such city' });
    expect(statusesOf(outcome)).toEqual(['bad failed', 'slow cancelled', 'after skipped']);
    expect(reason).toMatchObject({ name: 'AbortError' });
  });

  it('what is ready when another node fails is still among the outputs', async () => {
    const outcome = await run({ good: () => 'kept', bad: async () => Promise.reject(new Error('x')) });
    expect(outputsOf(outcome)).toEqual({ good: 'kept' });
    expect(outcome.success).toBe(false);
  });

  it('a sibling that ignores its signal does not hold up the answer, and is handed over as abandoned', async () => {
    let release = () => {};
    const deaf = () => new Promise<void>((resolve) => (release = resolve));
    const { time, outcome, abandoned } = start({ bad: () => Promise.reject(new Error('x')), deaf });
    await time.advance(0);
    expect(statusesOf(await outcome)).toEqual(['bad failed', 'deaf cancelled']);
    expect(abandoned).toHaveLength(1);
    release();
    await abandoned[0];
  });

  it.each([
    ['a string', 'broken', 'broken'],
    ['undefined', undefined, 'threw undefined'],
    ['an object', { status: 404 }, 'threw {"status":404}'],
    ['an object with a message', { message: 'from a library' }, 'from a library'],
    ['an error with a cause', new Error('outer', { cause: new TypeError('inner') }), 'outer (TypeError: inner)'],
    ['a cycle', cyclic(), 'threw a value that cannot be read'],
  ])('a node may throw %s', async (_what, thrown, message) => {
    const outcome = await run({
      a: () => {
        throw thrown;
      },
    });
    expect(outcome.error).toEqual({ node: 'a', message });
  });

  it('a rejection after the run is over harms nobody', async () => {
    let fail = (_: Error) => {};
    const { time, outcome, abandoned } = start(
      { late: () => new Promise((_resolve, reject) => (fail = reject)) },
      { nodes: { late: { timeout: '1s' } } },
    );
    await time.advance(1000);
    expect((await outcome).error?.message).toBe('took longer than its timeout of 1 s');
    // An unhandled rejection here would fail the test run.
    fail(new Error('late'));
    await abandoned[0];
    await settle();
  });
});

describe('retries', () => {
  it('waits twice as long each time, and reports the last error with the number of attempts', async () => {
    const { time, outcome, retries } = start(
      { a: (_, { attempt }) => Promise.reject(new Error(`failure ${attempt}`)) },
      { nodes: { a: { retries: 2 } } },
    );
    time.chance = 1;
    await time.advance(60_000);
    expect(retries).toEqual(['a 1 failure 1 200', 'a 2 failure 2 400']);
    const { nodes, error } = await outcome;
    expect(error).toEqual({ node: 'a', message: 'failure 3' });
    expect(nodes).toEqual([{ name: 'a', status: 'failed', attempts: 3, durationMs: 600, error: 'failure 3' }]);
  });

  it('takes config.retries for nodes that say nothing themselves', async () => {
    const flaky = (_: unknown, { attempt }: TestContext) => {
      if (attempt < 3) throw new Error('not yet');
      return attempt;
    };
    const outcome = await run({ a: flaky }, { config: { retries: 2 } });
    expect(outputsOf(outcome)).toEqual({ a: 3 });
  });

  it('does not try again where the error says retryable: false', async () => {
    const outcome = await run(
      { a: () => Promise.reject(Object.assign(new Error('gone'), { retryable: false })) },
      { nodes: { a: { retries: 5 } } },
    );
    expect(outcome.nodes).toMatchObject([{ attempts: 1, error: 'gone' }]);
  });

  it('does not wait for a retry that could only begin after the timeout of the run', async () => {
    const { time, outcome } = start(
      { a: () => Promise.reject(new Error('down')) },
      { nodes: { a: { retries: 9 } }, config: { timeout: '1s' } },
    );
    await time.advance(60_000);
    const { error, durationMs } = await outcome;
    expect(error).toEqual({ node: 'a', message: 'down' });
    expect(durationMs).toBeLessThan(1000);
  });

  it('a wait between attempts ends at once when another node fails', async () => {
    const { time, outcome } = start(
      {
        a: () => Promise.reject(new Error('again')),
        b: async () => {
          await new Promise<void>((resolve) => time.after(50, resolve));
          throw new Error('for good');
        },
      },
      { nodes: { a: { retries: 5 }, b: {} } },
    );
    await time.advance(50);
    expect(statusesOf(await outcome)).toEqual(['a cancelled', 'b failed']);
    expect(time.pending).toBe(0);
  });
});

describe('timeouts', () => {
  it('of a node count for each attempt and are tried again', async () => {
    const outcome = await run(
      { a: (_, { attempt }) => (attempt === 1 ? never() : 'in time') },
      { nodes: { a: { timeout: '1s', retries: 1 } } },
    );
    expect(outputsOf(outcome)).toEqual({ a: 'in time' });
    expect(outcome.nodes).toMatchObject([{ status: 'ok', attempts: 2, durationMs: 1100 }]);
  });

  it('a node that obeys its signal is a timeout all the same, not an AbortError', async () => {
    const outcome = await run({ a: untilAborted }, { nodes: { a: { timeout: '1s' } } });
    expect(outcome.error).toEqual({ node: 'a', message: 'took longer than its timeout of 1 s' });
    expect(statusesOf(outcome)).toEqual(['a timeout']);
  });

  it('of the run names the nodes that were still running', async () => {
    const outcome = await run(
      { quick: () => 1, a: never, b: untilAborted, after: () => 1 },
      { config: { timeout: '5s' }, edges: ['a -> after'] },
    );
    expect(outcome.error).toEqual({
      node: 'a',
      message: 'the run took longer than its timeout of 5 s; still running: a, b',
    });
    expect(statusesOf(outcome)).toEqual(['quick ok', 'a timeout', 'b timeout', 'after skipped']);
    expect(outcome.durationMs).toBe(5000);
  });
});

describe('shutdown', () => {
  it('ends the run as failed and says so', async () => {
    const { time, outcome, shutdown } = start({ a: untilAborted });
    await time.advance(0);
    shutdown.abort();
    await time.advance(0);
    expect((await outcome).error).toEqual({
      node: 'a',
      message: 'the engine shut down before the run ended; still running: a',
    });
    expect(time.pending).toBe(0);
  });
});

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value.self = value;
  return value;
}
