import { expect, it } from 'vitest';
import { describeTrigger, parseTrigger } from '../../../engine/runs/trigger.ts';

it.each([
  ['manual', { type: 'manual' }],
  ['cron', { type: 'cron' }],
  ['cron:daily-report', { type: 'cron', name: 'daily-report' }],
  ['queue:orders.created', { type: 'queue', subject: 'orders.created' }],
])('%s is a trigger, and is written the same way', (header, trigger) => {
  const parsed = parseTrigger(header);
  expect(parsed).toEqual(trigger);
  expect(parsed && describeTrigger(parsed)).toBe(header);
});

it.each([
  '',
  'Manual',
  'manual:x',
  'cron:',
  'cron:Daily',
  'cron:a b',
  'queue',
  'queue:',
  'queue:a b',
  `queue:${'x'.repeat(256)}`,
])('%j is none', (header) => {
  expect(parseTrigger(header)).toBeUndefined();
});
