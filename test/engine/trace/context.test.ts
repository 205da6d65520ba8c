import { expect, it } from 'vitest';
import { traceContextOf } from '../../../engine/trace/context.ts';

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const of = (headers: Record<string, string>) => traceContextOf(new Headers(headers));

it('a trace context is carried on as it came', () => {
  expect(of({ traceparent, tracestate: 'vendor=1' })).toEqual({
    traceparent,
    tracestate: 'vendor=1',
    traceId: '0af7651916cd43dd8448eb211c80319c',
  });
});

it('a later version of the header is understood as far as it is the same', () => {
  expect(of({ traceparent: `${traceparent.replace('00-', '01-')}-extra` })?.traceId).toBe(
    '0af7651916cd43dd8448eb211c80319c',
  );
});

it.each([
  ['nothing', ''],
  ['zeros as trace id', '00-00000000000000000000000000000000-b7ad6b7169203331-01'],
  ['zeros as span id', '00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'],
  ['version ff', traceparent.replace('00-', 'ff-')],
  ['upper case', traceparent.toUpperCase()],
  ['more than version 00 has', `${traceparent}-extra`],
  ['too little', traceparent.slice(0, -3)],
])('%s is ignored, as the standard says', (_what, header) => {
  expect(of({ traceparent: header })).toBeUndefined();
});

it('a tracestate beyond 512 characters is dropped, the rest stays', () => {
  expect(of({ traceparent, tracestate: `a=${'x'.repeat(512)}` })).toEqual({
    traceparent,
    traceId: '0af7651916cd43dd8448eb211c80319c',
  });
});
