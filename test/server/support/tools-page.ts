import { isJsonObject, type JsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import type { ListedTool } from '../../../server/mcp/listing.ts';

/** `docs/tools.md`, made from what clients see. */
export function toolsPage(tools: readonly ListedTool[]): string {
  const head = [
    '# The MCP tools',
    '',
    'Made from `tools/list`; `npx vitest run --project unit test/server/mcp/pins.test.ts -u` writes it anew. Errors: [errors.md](errors.md).',
    '',
    'R = only reads, W = writes, D = may destroy. Arguments in **bold** are required. Unknown arguments are refused.',
    '',
  ];
  return `${[...head, ...tools.flatMap(section)].join('\n')}\n`;
}

function section(tool: ListedTool): string[] {
  const { readOnlyHint, destructiveHint } = tool.annotations;
  const kind = readOnlyHint ? 'R' : destructiveHint ? 'D' : 'W';
  return [
    `## \`${tool.name}\` (${kind})`,
    '',
    `**${tool.title}.** ${tool.description.replaceAll('\n', ' ')}`,
    '',
    ...table('argument', tool.inputSchema, new Set(requiredOf(tool.inputSchema))),
    ...table('result', tool.outputSchema, new Set(), new Set(['code', 'message', 'hint', 'details'])),
  ];
}

function requiredOf(schema: JsonObject): string[] {
  return Array.isArray(schema.required) ? schema.required.map(String) : [];
}

function table(what: string, schema: JsonObject, bold: ReadonlySet<string>, leftOut = new Set<string>()): string[] {
  const rows = Object.entries(isJsonObject(schema.properties) ? schema.properties : {}).filter(
    ([name]) => !leftOut.has(name),
  );
  if (rows.length === 0) return [];
  return [
    `| ${what} | type | |`,
    '| --- | --- | --- |',
    ...rows.map(([name, value]) => {
      const shown = bold.has(name) ? `**\`${name}\`**` : `\`${name}\``;
      return `| ${shown} | ${typeOf(value)} | ${descriptionOf(value)} |`;
    }),
    '',
  ];
}

function descriptionOf(value: JsonValue | undefined): string {
  const text = isJsonObject(value) && typeof value.description === 'string' ? value.description : '';
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function typeOf(value: JsonValue | undefined): string {
  if (!isJsonObject(value)) return '';
  if (Array.isArray(value.enum)) return value.enum.map((item) => `\`${String(item)}\``).join(', ');
  if (Array.isArray(value.anyOf)) return value.anyOf.map(typeOf).join(' or ');
  if (value.type === 'array') return `${typeOf(value.items) || 'any'}[]`;
  if (value.type === 'object') {
    const names = Object.keys(isJsonObject(value.properties) ? value.properties : {});
    return names.length > 0 ? `{${names.join(', ')}}` : 'object';
  }
  return typeof value.type === 'string' ? value.type : 'any';
}
