/** Nesting beyond this is refused: it serves nobody, and recursion over it would exhaust the stack. */
export const maxJsonDepth = 100;

export type JsonText =
  | { readonly ok: true; readonly text: string; readonly bytes: number }
  | { readonly ok: false; readonly reason: string };

const encoder = new TextEncoder();

/**
 * The JSON text of what a node returned, or why it has none. Stricter than `JSON.stringify`, which turns a Map into
 * `{}` and NaN into `null` without a word: here the path of such a value is named. `undefined` as a whole is `null`;
 * a property that is `undefined` is left out; `toJSON` (Date, URL) is honoured.
 */
export function jsonTextOf(value: unknown, maxBytes: number): JsonText {
  try {
    const fault = findFault(value, '', []);
    if (fault !== undefined) return { ok: false, reason: fault };
    const text = JSON.stringify(value) ?? 'null';
    const bytes = encoder.encode(text).byteLength;
    if (bytes > maxBytes) return { ok: false, reason: `has ${bytes} bytes as JSON; at most ${maxBytes} are allowed` };
    return { ok: true, text, bytes };
  } catch (error) {
    // Getters, proxies and toJSON are the node's own code.
    return { ok: false, reason: `cannot be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

function findFault(value: unknown, path: string, ancestors: object[]): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : notJson(path, String(value));
    case 'object':
      return value === null ? undefined : findObjectFault(value, path, ancestors);
    default:
      return notJson(path, `a ${typeof value}`);
  }
}

function findObjectFault(value: object, path: string, ancestors: object[]): string | undefined {
  if (ancestors.includes(value)) return `${where(path)} refers to itself; JSON cannot say that`;
  if (ancestors.length >= maxJsonDepth) return `is nested deeper than ${maxJsonDepth} levels`;
  ancestors.push(value);
  const fault = findFaultWithin(value, path, ancestors);
  ancestors.pop();
  return fault;
}

function findFaultWithin(value: object, path: string, ancestors: object[]): string | undefined {
  if ('toJSON' in value && typeof value.toJSON === 'function') return findFault(value.toJSON(), path, ancestors);
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const fault = findFault(value[index], `${path}[${index}]`, ancestors);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  if (kind !== 'Object' && kind !== 'Error') return notJson(path, `a ${kind}`);
  if (kind === 'Error') return notJson(path, 'an Error (throw it instead)');
  for (const key of Object.keys(value)) {
    const fault = findFault(Reflect.get(value, key), path === '' ? key : `${path}.${key}`, ancestors);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function notJson(path: string, found: string): string {
  return `${where(path)} is ${found}; JSON has no such value`;
}

function where(path: string): string {
  if (path === '') return 'as a whole';
  return `at ${path.length > 200 ? `${path.slice(0, 200)}...` : path}`;
}

/** `text` cut to at most `maxBytes` bytes of UTF-8, never within a character. */
export function cutText(text: string, maxBytes: number): { readonly text: string; readonly cut: boolean } {
  if (text.length * 3 <= maxBytes) return { text, cut: false };
  const bytes = encoder.encode(text);
  if (bytes.byteLength <= maxBytes) return { text, cut: false };
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return { text: new TextDecoder().decode(bytes.subarray(0, end)), cut: true };
}
