/** Longest string that is looked at, in characters; what a line shows of it is less. */
const maxStringLength = 64 * 1024;
/** Limits of what one field of a log line may hold. */
const maxItems = 50;
const maxDepth = 5;

/**
 * `value` as something that `JSON.stringify` can always write, bounded in size: for log fields, where a cycle or a
 * throwing getter must cost a field and never a run.
 * @param text applied to every string and key: redacts first and cuts then, or half a secret would be left at the cut
 */
export function printable(value: unknown, text: (text: string) => string, depth = 0): unknown {
  try {
    return reduce(value, text, depth);
  } catch {
    return '[unreadable]';
  }
}

function reduce(value: unknown, text: (text: string) => string, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return text(value.slice(0, maxStringLength));
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
    case 'undefined':
      return value;
    case 'object':
      return value === null ? null : reduceObject(value, text, depth);
    case 'function':
      return '[function]';
    default:
      return String(value);
  }
}

function reduceObject(value: object, text: (text: string) => string, depth: number): unknown {
  if (value instanceof Error) return reduce(`${value.name}: ${value.message}`, text, depth);
  if (depth >= maxDepth) return '[nested too deeply]';
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice(0, maxItems).map((item) => printable(item, text, depth + 1));
    return value.length > maxItems ? [...items, `[${value.length - maxItems} more]`] : items;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return printable(value.toJSON(), text, depth + 1);
  if (value instanceof Map) return printable([...value.entries()].slice(0, maxItems + 1), text, depth + 1);
  if (value instanceof Set) return printable([...value.values()].slice(0, maxItems + 1), text, depth + 1);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  const keys = Object.keys(value);
  const entries = keys
    .slice(0, maxItems)
    .map((key) => [text(key), printable(Reflect.get(value, key), text, depth + 1)]);
  if (keys.length > maxItems) entries.push(['...', `[${keys.length - maxItems} more]`]);
  return Object.fromEntries(entries);
}

/** Arguments of a console call as one message, for a log that redacts and cuts it: strings as they are, all else as JSON. */
export function printableMessage(values: readonly unknown[]): string {
  return values
    .map((value) => {
      const reduced = printable(value, (text) => text);
      return typeof reduced === 'string' ? reduced : (JSON.stringify(reduced) ?? 'undefined');
    })
    .join(' ');
}
