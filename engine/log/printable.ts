/** Limits of what one field of a log line may hold. */
const maxStringLength = 2000;
const maxItems = 50;
const maxDepth = 5;

/**
 * `value` as something that `JSON.stringify` can always write, bounded in size: for log fields, where a cycle or a
 * throwing getter must cost a field and never a run.
 */
export function printable(value: unknown, depth = 0): unknown {
  try {
    return reduce(value, depth);
  } catch {
    return '[unreadable]';
  }
}

function reduce(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return value.length <= maxStringLength ? value : `${value.slice(0, maxStringLength)}...`;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : reduceObject(value, depth);
    case 'function':
      return '[function]';
    default:
      return String(value);
  }
}

function reduceObject(value: object, depth: number): unknown {
  if (value instanceof Error) return reduce(`${value.name}: ${value.message}`, depth);
  if (depth >= maxDepth) return '[nested too deeply]';
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, maxItems).map((item) => printable(item, depth + 1));
    return value.length > maxItems ? [...items, `[${value.length - maxItems} more]`] : items;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return printable(value.toJSON(), depth + 1);
  if (value instanceof Map) return printable([...value.entries()].slice(0, maxItems + 1), depth + 1);
  if (value instanceof Set) return printable([...value.values()].slice(0, maxItems + 1), depth + 1);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const keys = Object.keys(value);
  const entries = keys.slice(0, maxItems).map((key) => [key, printable(Reflect.get(value, key), depth + 1)]);
  if (keys.length > maxItems) entries.push(['...', `[${keys.length - maxItems} more]`]);
  return Object.fromEntries(entries);
}

/** Arguments of a console call as one message: strings as they are, everything else as JSON. */
export function printableMessage(values: readonly unknown[]): string {
  return values
    .map((value) => {
      const reduced = printable(value);
      return typeof reduced === 'string' ? reduced : (JSON.stringify(reduced) ?? 'undefined');
    })
    .join(' ');
}
