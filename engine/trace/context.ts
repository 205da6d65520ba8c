/** The W3C trace context of a caller. The engine exports no spans of its own, so it passes the context on unchanged. */
export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
  /** 32 hex digits. */
  readonly traceId: string;
}

/** W3C Trace Context, section 3.2: version 00, and later versions that begin with the same fields. */
const pattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]{1,200})?$/;
const maxTracestateLength = 512;

/** Undefined where the headers hold none, or a broken one, which the standard tells us to ignore. */
export function traceContextOf(headers: Headers): TraceContext | undefined {
  const traceparent = headers.get('traceparent')?.trim() ?? '';
  const traceId = pattern.exec(traceparent)?.[1];
  if (traceId === undefined || (traceparent.startsWith('00-') && traceparent.length !== 55)) return undefined;
  const tracestate = headers.get('tracestate');
  const usable = tracestate !== null && tracestate.length <= maxTracestateLength;
  return usable ? { traceparent, traceId, tracestate } : { traceparent, traceId };
}
