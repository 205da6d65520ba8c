import { isSpecType, PROTOCOL_VERSION_META_KEY } from '@modelcontextprotocol/server';

/** Deepest nesting of a body: that of arguments (mcp/input.ts), and what JSON-RPC puts around them. */
const maxBodyDepth = 80;

/** What is wrong with a body, as JSON-RPC says it. */
export interface BodyFault {
  /** -32600: no request at all; -32602: its parameters do not fit. */
  readonly code: -32600 | -32602;
  readonly message: string;
  /** Of the request, where it has one. */
  readonly id: string | number | null;
}

/**
 * Why a parsed body is no request of MCP, or undefined. What reads it next recurses, and would end in a fault of ours.
 * A batch is none: the protocol knows no more (2025-06-18 took them out), and one body would be any number of calls.
 */
export function bodyFault(body: unknown): BodyFault | undefined {
  if (Array.isArray(body)) return noRequest('The body is a batch; send one request a body');
  if (typeof body === 'object' || body === undefined) {
    return isTooDeep(body)
      ? noRequest(`The body is nested more than ${maxBodyDepth} levels deep`)
      : initializeFault(body);
  }
  return noRequest('The body is no object');
}

function noRequest(message: string): BodyFault {
  return { code: -32600, message, id: null };
}

function isTooDeep(body: unknown): boolean {
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value: body, depth: 0 }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { value, depth } = entry;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= maxBodyDepth) return true;
    for (const item of Object.values(value)) {
      if (typeof item === 'object' && item !== null) stack.push({ value: item, depth: depth + 1 });
    }
  }
  return false;
}

/** What comes next would take parameters that are no parameters of `initialize` for a fault of the server (-32603). */
function initializeFault(body: unknown): BodyFault | undefined {
  if (!isSpecType.JSONRPCRequest(body) || body.method !== 'initialize') return undefined;
  // With the envelope of 2026-07-28 it is a method that is not there.
  if (body.params?._meta?.[PROTOCOL_VERSION_META_KEY] !== undefined) return undefined;
  if (isSpecType.InitializeRequestParams(body.params)) return undefined;
  const message = 'Invalid params for initialize: protocolVersion, capabilities and clientInfo are required';
  return { code: -32602, message, id: body.id };
}
