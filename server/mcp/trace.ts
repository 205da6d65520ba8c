import { randomBytes } from 'node:crypto';

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Trace id of a W3C `traceparent`, or a fresh one where there is none that counts. */
export function traceIdOf(header: string | null | undefined, fresh: () => string = freshTraceId): string {
  const found = traceparent.exec(header ?? '')?.[1];
  return found !== undefined && !/^0+$/.test(found) ? found : fresh();
}

function freshTraceId(): string {
  return randomBytes(16).toString('hex');
}
