/** Deepest nesting of a body: that of arguments (mcp/input.ts), and what JSON-RPC puts around them. */
const maxBodyDepth = 80;

/**
 * Why a parsed body is no request of MCP, or undefined. What reads it next recurses, and would end in a fault of ours.
 * A batch is none: the protocol knows no more (2025-06-18 took them out), and one body would be any number of calls.
 */
export function bodyFault(body: unknown): string | undefined {
  if (Array.isArray(body)) return 'The body is a batch; send one request a body';
  const stack: { readonly value: unknown; readonly depth: number }[] = [{ value: body, depth: 0 }];
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { value, depth } = entry;
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= maxBodyDepth) return `The body is nested more than ${maxBodyDepth} levels deep`;
    for (const item of Object.values(value)) {
      if (typeof item === 'object' && item !== null) stack.push({ value: item, depth: depth + 1 });
    }
  }
  return undefined;
}
