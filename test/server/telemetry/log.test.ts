import { expect, it } from 'vitest';
import { createLogger, errorFields } from '../../../server/telemetry/log.ts';

it('a log line is JSON and values under secret names never reach it', () => {
  const lines: string[] = [];
  const log = createLogger('debug', { write: (line) => lines.push(line) });
  const canary = 'CANARY-0451';
  log.info(
    { token: canary, headers: { authorization: canary }, a: { b: { password: canary } }, secrets: [canary] },
    'x',
  );
  log.error(errorFields(Object.assign(new Error('failed'), { response: canary })), 'y');
  expect(lines).toHaveLength(2);
  expect(lines.join()).not.toContain(canary);
  const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(parsed[0]).toMatchObject({ level: 'info', service: 'tentacular-mcp', msg: 'x', token: '[redacted]' });
  expect(parsed[1]).toMatchObject({ level: 'error', error: 'Error: failed' });
});
