import { z } from 'zod';
import { type Fault, invalidInput, type TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';

/** Deepest nesting of arguments, and most values in them: what comes after them may recurse. */
const maxInputDepth = 64;
const maxInputValues = 100_000;
/** Most faults told at once. */
const maxFaults = 50;
/** Fields whose values are never repeated in an error. */
const secretFields = new Set(['secrets', 'files', 'workflow', 'manifests', 'input']);

/** Arguments after strict validation, or the error that names every fault. */
export function parseInput<S extends z.ZodType>(
  tool: string,
  schema: S,
  given: JsonValue,
): { ok: true; value: z.output<S> } | { ok: false; error: TentacularError } {
  const shape = shapeFault(given);
  if (shape) return { ok: false, error: invalidInput(`Input of ${tool}`, [shape]) };
  const parsed = schema.safeParse(given, { reportInput: true });
  if (parsed.success) return { ok: true, value: parsed.data };
  const faults = parsed.error.issues.flatMap((issue) => faultsOf(issue, schema));
  return { ok: false, error: invalidInput(`Input of ${tool}`, faults.slice(0, maxFaults)) };
}

/** What is wrong with the bare shape: too deep, too many values, a key that JavaScript gives a meaning. */
function shapeFault(given: JsonValue): Fault | undefined {
  const stack: { value: JsonValue; depth: number }[] = [{ value: given, depth: 0 }];
  let values = 0;
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { value, depth } = entry;
    if (depth > maxInputDepth) {
      return { path: '', message: 'is nested too deeply', allowed: `at most ${maxInputDepth} levels` };
    }
    if (++values > maxInputValues) {
      return { path: '', message: 'holds too many values', allowed: `at most ${maxInputValues}` };
    }
    if (Array.isArray(value)) for (const item of value) stack.push({ value: item, depth: depth + 1 });
    else if (isJsonObject(value)) {
      if (Object.hasOwn(value, '__proto__')) return { path: '', message: 'holds a key "__proto__"' };
      for (const item of Object.values(value)) if (item !== undefined) stack.push({ value: item, depth: depth + 1 });
    }
  }
  return undefined;
}

function faultsOf(issue: z.core.$ZodIssue, schema: z.ZodType): Fault[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const known = path.length === 0 && schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    return issue.keys.map((key) => ({
      path: [...path, shorten(key)].join('.'),
      message: 'is not an argument of this tool',
      ...(known.length > 0 ? { allowed: known.join(', ') } : {}),
    }));
  }
  const fault: Fault = { path: path.map(shorten).join('.'), message: messageOf(issue) };
  const found = shownValue(issue.input, path[0]);
  return [found === undefined ? fault : { ...fault, found }];
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_union') {
    const first = issue.errors[0]?.[0];
    return first === undefined ? 'has no accepted form' : `has no accepted form: ${first.message}`;
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return `is required: ${issue.expected}`;
  return issue.message;
}

/** The value found, short enough to show and never one that may be secret. */
function shownValue(value: unknown, root: string | undefined): JsonValue | undefined {
  if (root !== undefined && secretFields.has(root)) return undefined;
  if (typeof value === 'string') return shorten(value);
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? value : undefined;
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
