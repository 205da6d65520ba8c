import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { Redactor } from '../../../engine/context/redact.ts';
import { captureConsole } from '../../../engine/log/console.ts';
import { Logger, limitedLog, maxLineLength } from '../../../engine/log/logger.ts';

let lines: string[];
let redactor: Redactor;
let log: Logger;

beforeEach(() => {
  lines = [];
  redactor = new Redactor();
  log = new Logger({ write: (line) => lines.push(line), redactor, now: () => Date.UTC(2026, 0, 1) });
});

const entries = () => lines.map((line): unknown => JSON.parse(line));

describe('a line', () => {
  it('is JSON: time, level, message, fields', () => {
    log.with({ run_id: 'r1' }).warn('careful', { count: 2 });
    expect(lines).toEqual([
      '{"time":"2026-01-01T00:00:00.000Z","level":"warn","msg":"careful","count":2,"run_id":"r1"}',
    ]);
  });

  it('holds no secret, neither in its message nor in a field, nor in the name of one', () => {
    redactor.learn('canary-value');
    log.info('got canary-value', { list: ['canary-value'], 'canary-value': { deep: 'x canary-value' } });
    expect(entries()).toEqual([
      {
        time: '2026-01-01T00:00:00.000Z',
        level: 'info',
        msg: 'got [redacted]',
        list: ['[redacted]'],
        '[redacted]': { deep: 'x [redacted]' },
      },
    ]);
  });

  it('is redacted before it is cut: no half of a secret is left at the end', () => {
    redactor.learn('canary-value');
    const atTheCut = 'canary-value'.padStart(4006, '-');
    log.info(atTheCut);
    log.info('a field', { field: atTheCut });
    expect(lines.map((line) => line.length > 4000)).toEqual([true, true]);
    expect(lines.join()).not.toContain('canary');
  });

  it('cannot be forged: a field does not replace level, time or run id', () => {
    log.with({ run_id: 'r1' }).info('real', { level: 'error', msg: 'fake', run_id: 'other', time: 'never' });
    expect(entries()).toEqual([{ time: '2026-01-01T00:00:00.000Z', level: 'info', msg: 'real', run_id: 'r1' }]);
  });

  it('is one line without control, hidden or reordering characters, whatever is logged', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.anything(), (message, value) => {
        lines = [];
        log.info(message, { value });
        log.info('\u001b[31m\r\n\u0085\u2028\u202e\u0007\u200b');
        for (const line of lines) {
          // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
          expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u200b]/);
          expect(line.length).toBeLessThanOrEqual(maxLineLength * 6);
          JSON.parse(line);
        }
      }),
    );
  });

  it('is bounded: what is too long says so', () => {
    log.info(
      'm'.repeat(100_000),
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, 'x'.repeat(1000)])),
    );
    expect(lines[0]?.length).toBeLessThan(maxLineLength);
    expect(entries()).toMatchObject([{ truncated: true, msg: 'm'.repeat(1000) }]);
  });

  it('survives cycles, bigints, errors, maps and getters that throw', () => {
    const cycle: Record<string, unknown> = { n: 1n, e: new TypeError('x'), m: new Map([['a', 1]]), nan: Number.NaN };
    cycle.self = { self: cycle };
    const hostile = {
      get bad(): never {
        throw new Error('mine');
      },
    };
    log.info('odd', { cycle, hostile });
    expect(entries()).toMatchObject([{ cycle: { n: '1', e: 'TypeError: x', m: [['a', 1]], nan: 'NaN' } }]);
    expect(lines[0]).toContain('[nested too deeply]');
    expect(lines[0]).toContain('"hostile":"[unreadable]"');
  });
});

it('one node cannot drown the log', () => {
  const limited = limitedLog(log, 2);
  for (let index = 0; index < 10; index++) limited.info(`line ${index}`);
  expect(entries()).toMatchObject([
    { msg: 'line 0' },
    { msg: 'line 1' },
    { level: 'warn', msg: 'more than 2 log lines from one node; the rest is dropped' },
  ]);
});

describe('console', () => {
  const captured = () => {
    const target = { ...globalThis.console };
    captureConsole(target, () => log);
    return target;
  };

  it('writes through the log, level by method', () => {
    redactor.learn('canary-value');
    const target = captured();
    target.log('hello', { a: 1 }, 'canary-value');
    target.debug('d');
    target.warn('w');
    target.error(new Error('broken'));
    target.table([{ a: 1 }]);
    target.assert(false, 'must hold');
    target.assert(true, 'fine');
    expect(entries()).toMatchObject([
      { level: 'info', msg: 'hello {"a":1} [redacted]' },
      { level: 'debug', msg: 'd' },
      { level: 'warn', msg: 'w' },
      { level: 'error', msg: 'Error: broken' },
      { level: 'info', msg: '[{"a":1}]' },
      { level: 'error', msg: 'assertion failed: must hold' },
    ]);
  });

  it('leaves no method that writes past the log', () => {
    const target = captured();
    const original = globalThis.console;
    const left = Object.keys(original).filter(
      (name) =>
        Reflect.get(target, name) === Reflect.get(original, name) && typeof Reflect.get(original, name) === 'function',
    );
    // Node's own: a constructor and hooks of its inspector, none of which Deno's console writes with.
    expect(
      left.filter((name) => !['Console', 'context', 'createTask', 'timeStamp', 'profile', 'profileEnd'].includes(name)),
    ).toEqual([]);
  });
});
