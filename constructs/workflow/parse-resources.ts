import type { JsonValue } from '../model/json.ts';
import { canonicalCpu, canonicalMemory, cpuRule, memoryRule, parseCpu, parseMemory } from '../model/quantity.ts';
import type { Reader } from './reader.ts';
import type { Resources } from './workflow.ts';

type Amounts = NonNullable<Resources['requests']>;

/** `resources`: requests and limits of CPU and memory in canonical form; a request above its limit is a fault. */
export function parseResources(reader: Reader, value: JsonValue | undefined, path: string): Resources | undefined {
  if (value === undefined) return undefined;
  const fields = reader.fields(value, path, ['requests', 'limits']);
  if (!fields) return undefined;
  const requests = parseAmounts(reader, fields.requests, `${path}.requests`);
  const limits = parseAmounts(reader, fields.limits, `${path}.limits`);
  const above = (unit: 'cpu' | 'memory', parse: (text: string) => number | undefined): void => {
    const request = parse(requests?.[unit] ?? '');
    const limit = parse(limits?.[unit] ?? '');
    if (request === undefined || limit === undefined || request <= limit) return;
    reader.fault(`${path}.requests.${unit}`, 'is above the limit', {
      found: requests?.[unit] ?? '',
      allowed: `at most ${limits?.[unit]}`,
    });
  };
  above('cpu', parseCpu);
  above('memory', parseMemory);
  return { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) };
}

function parseAmounts(reader: Reader, value: JsonValue | undefined, path: string): Amounts | undefined {
  if (value === undefined) return undefined;
  const fields = reader.fields(value, path, ['cpu', 'memory']);
  if (!fields) return undefined;
  const amount = (
    unit: 'cpu' | 'memory',
    canonical: (text: string) => string | undefined,
    allowed: string,
  ): string | undefined => {
    const found = fields[unit];
    if (found === undefined) return undefined;
    // `cpu: 1` is a number in YAML and means the same.
    const text = typeof found === 'number' ? String(found) : found;
    const quantity = typeof text === 'string' && text.length <= 32 ? canonical(text) : undefined;
    if (quantity === undefined) reader.wrongType(`${path}.${unit}`, found, allowed);
    return quantity;
  };
  const cpu = amount('cpu', canonicalCpu, cpuRule);
  const memory = amount('memory', canonicalMemory, memoryRule);
  return { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
}
