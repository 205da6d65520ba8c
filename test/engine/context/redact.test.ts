import { describe, expect, it } from 'vitest';
import { maxValues, Redactor } from '../../../engine/context/redact.ts';

const canary = 'c4nary-V4lue/+x';

function redactorOf(...secrets: unknown[]): Redactor {
  const redactor = new Redactor();
  for (const secret of secrets) redactor.learn(secret);
  return redactor;
}

describe('text', () => {
  it('loses every value of a secret, however deep it stands', () => {
    const redactor = redactorOf({ a: [{ token: canary }], n: 5 });
    expect(redactor.text(`token ${canary}, again ${canary}; 5`)).toBe('token [redacted], again [redacted]; 5');
  });

  it('loses it also as base64 and as part of a URL', () => {
    const redactor = redactorOf(canary);
    const forms = [btoa(canary), btoa(canary).replace(/=+$/, ''), encodeURIComponent(canary)];
    for (const form of forms) expect(redactor.text(`<${form}>`)).toMatch(/^<\[redacted\]=*>$/);
  });

  it('loses each line of a secret of several lines', () => {
    const redactor = redactorOf('-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----\n');
    expect(redactor.text('line MIIEvQIBADANBgkq here')).toBe('line [redacted] here');
  });

  // A bundle of certificates as a secret kept the engine from starting: no line could be logged.
  it.each([
    ['one long value', 'a'.repeat(700 * 1024)],
    ['many lines', Array.from({ length: 1500 }, (_, line) => `${line}`.padEnd(64, 'abc')).join('\n')],
    ['more lines than are remembered', Array.from({ length: 9000 }, (_, line) => `${line}`.padEnd(64, 'b')).join('\n')],
  ])('loses large secrets, and small ones beside them: %s', (_what, large) => {
    const redactor = redactorOf(canary, large);
    expect(redactor.text(`${canary} and ${large}`)).toBe('[redacted] and [redacted]');
    expect(redactor.json(JSON.stringify([canary, large]))).toBe('["[redacted]","[redacted]"]');
  });

  it('loses the longer of two values whole where one contains the other', () => {
    expect(redactorOf('pass', 'password-1').text('password-1')).toBe('[redacted]');
  });

  it('keeps what is too short to be told from ordinary words', () => {
    expect(redactorOf('abc').text('abc')).toBe('abc');
  });

  it('takes values literally, not as patterns', () => {
    const redactor = redactorOf('a.c+[x]*', '$&$1$$');
    expect(redactor.text('abcc a.c+[x]* $&$1$$')).toBe('abcc [redacted] [redacted]');
  });
});

describe('outputs', () => {
  it('lose values in strings and keys, and stay JSON', () => {
    const redactor = redactorOf('12345678', canary);
    const text = JSON.stringify({ [canary]: `x ${canary}`, list: [canary], id: 12345678 });
    expect(JSON.parse(redactor.json(text))).toEqual({
      '[redacted]': 'x [redacted]',
      list: ['[redacted]'],
      id: 12345678,
    });
  });

  it('lose a value also where JSON escapes it', () => {
    const redactor = redactorOf('say "hello"\\\n');
    expect(redactor.json(JSON.stringify({ a: 'say "hello"\\\n' }))).toBe('{"a":"[redacted]"}');
  });

  it('keep short values: a role "admin" is not the user name "admin"', () => {
    expect(redactorOf('admin').json('{"role":"admin"}')).toBe('{"role":"admin"}');
  });

  it('without a secret in them are the same text', () => {
    const text = '{ "spaced" : 1.0 }';
    expect(redactorOf(canary).json(text)).toBe(text);
  });
});

it('a rotated secret stays covered, but memory is bounded', () => {
  const redactor = redactorOf({ token: canary });
  redactor.learn({ token: 'the-new-one' });
  expect(redactor.text(`${canary} the-new-one`)).toBe('[redacted] [redacted]');
  for (let index = 0; index < maxValues; index++) redactor.learn(`another-value-${index}`);
  expect(redactor.text(canary)).toBe(canary);
});
