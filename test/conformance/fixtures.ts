import type { CallToolResult } from '@modelcontextprotocol/server';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { ToolCall } from '../../server/mcp/call.ts';
import { errorResult, successResult } from '../../server/mcp/result.ts';
import type { ServedTool } from '../../server/mcp/served-tool.ts';

/** One red pixel. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
/** No sound at all, at 8 kHz. */
const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=';

const image = { type: 'image', data: png, mimeType: 'image/png' } as const;
const audio = { type: 'audio', data: wav, mimeType: 'audio/wav' } as const;
const resource = (uri: string, mimeType: string, text: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text } }) as const;

/**
 * The tools that the conformance suite calls by name, as its descriptions ask for them. Only those for what this server
 * offers: a scenario about prompts or sampling has none, and is in expected-failures.json.
 */
export const fixtureTools: readonly ServedTool[] = [
  fixture('test_simple_text', async () => successResult({ text: 'This is a simple text response for testing.' })),
  fixture('test_image_content', async () => ({ content: [image] })),
  fixture('test_audio_content', async () => ({ content: [audio] })),
  fixture('test_embedded_resource', async () => ({
    content: [resource('test://embedded-resource', 'text/plain', 'This is an embedded resource content.')],
  })),
  fixture('test_multiple_content_types', async () => ({
    content: [
      { type: 'text', text: 'Multiple content types test:' },
      image,
      resource('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
    ],
  })),
  fixture('test_error_handling', async () =>
    errorResult(
      new TentacularError('unavailable', 'This tool intentionally returns an error for testing', { hint: 'None.' }),
    ),
  ),
  fixture(
    'test_tool_with_progress',
    async ({ progress }) => {
      for (const percent of [0, 50, 100]) progress(`${percent} %`);
      return successResult({ text: 'done' });
    },
    { mayLast: true },
  ),
  fixture('json_schema_2020_12_tool', async () => successResult({ text: 'ok' }), { inputSchema: newestVocabulary() }),
];

interface FixtureOptions {
  readonly mayLast?: boolean;
  readonly inputSchema?: ServedTool['listed']['inputSchema'];
}

function fixture(
  name: string,
  call: (call: ToolCall) => Promise<CallToolResult>,
  { mayLast = false, inputSchema = { type: 'object', additionalProperties: false } }: FixtureOptions = {},
): ServedTool {
  return {
    listed: {
      name,
      title: name,
      description: `Fixture of the conformance suite: ${name}.`,
      inputSchema,
      outputSchema: { type: 'object' },
      annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    },
    mayLast,
    call,
  };
}

/** Everything of JSON Schema 2020-12 that a listing must pass on as it is (SEP-1613, SEP-2106). */
function newestVocabulary(): { readonly type: 'object' } & JsonObject {
  const text = { type: 'string' };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: text, city: text } } },
    properties: {
      name: text,
      address: { $ref: '#/$defs/address' },
      contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: text,
      email: text,
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema; nobody awaits this.
    then: { required: ['phone'] },
    else: { required: ['email'] },
    additionalProperties: false,
  };
}
