import { randomBytes } from 'node:crypto';
import { TRACEPARENT_META_KEY } from '@modelcontextprotocol/server';
import { isJsonObject } from '../../constructs/model/json.ts';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Trace id of a W3C `traceparent`, or a fresh one where there is none that counts. */
export function traceIdOf(header: string | null | undefined, fresh: () => string = freshTraceId): string {
  const found = traceparent.exec(header ?? '')?.[1];
  return found !== undefined && !/^0+$/.test(found) ? found : fresh();
}

/** The newer protocol carries the trace context in `_meta`; HTTP clients may also send the header. */
export function traceparentOf(meta: unknown, header: string | null | undefined): string | undefined {
  const inMeta = isJsonObject(meta) ? meta[TRACEPARENT_META_KEY] : undefined;
  return typeof inMeta === 'string' ? inMeta : (header ?? undefined);
}

function freshTraceId(): string {
  return randomBytes(16).toString('hex');
}
