import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Tool } from '../tools/tool.ts';

/** A tool as `tools/list` shows it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object' } & JsonObject;
  readonly outputSchema: { readonly type: 'object' } & JsonObject;
  readonly annotations: Tool['annotations'];
}

/** The same bytes for the same tool, always. */
export function listedTool(tool: Tool): ListedTool {
  const { name, title, description, annotations } = tool;
  return {
    name,
    title,
    description,
    inputSchema: objectSchema(tool.input, 'input'),
    outputSchema: withErrors(objectSchema(tool.output, 'output')),
    annotations,
  };
}

function objectSchema(schema: z.ZodObject, io: 'input' | 'output'): { type: 'object' } & JsonObject {
  const json: unknown = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io, reused: 'inline' })));
  if (!isJsonObject(json)) throw new Error('a tool schema is no JSON object');
  const { $schema: _dialect, type: _type, ...rest } = json;
  return { type: 'object', ...rest };
}

/** Without the closing of objects: a client that knows an older list must take a newer reply with one field more. */
function opened(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(opened);
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(([key, item]) => key !== 'additionalProperties' || item !== false);
  return Object.fromEntries(entries.map(([key, item]) => [key, item === undefined ? item : opened(item)]));
}

/**
 * Clients of 2025-11-25 check structured content against the output schema even where `isError` is set, so the schema
 * must accept our errors as well: the properties of both at a plain root, and either set of them required.
 */
function withErrors(schema: { type: 'object' } & JsonObject): { type: 'object' } & JsonObject {
  const { required, properties } = schema;
  const errorProperties = {
    code: { type: 'string', description: 'With isError: what kind of error.' },
    message: { type: 'string', description: 'With isError: what failed, found and allowed values.' },
    hint: { type: 'string', description: 'With isError: what to do next.' },
    details: { type: 'object', description: 'With isError: the same as data.' },
  };
  const all = opened({ ...(isJsonObject(properties) ? properties : {}), ...errorProperties });
  return {
    type: 'object',
    properties: all,
    anyOf: [{ required: required ?? [] }, { required: ['code', 'message', 'hint'] }],
  };
}
