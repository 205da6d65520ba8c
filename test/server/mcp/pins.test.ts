import { join } from 'node:path';
import type { JsonSchemaType } from '@modelcontextprotocol/client';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/client/validators/ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isJsonObject } from '../../../constructs/model/json.ts';
import { toolApis } from '../../../server/api/tools.ts';
import { instructions } from '../../../server/mcp/instructions.ts';
import type { ListedTool } from '../../../server/mcp/listing.ts';
import { projectRoot } from '../../support/source-files.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, post, startHarness } from '../support/harness.ts';
import { toolsPage } from '../support/tools-page.ts';

const pin = (name: string) => join(projectRoot, 'snapshots/api', name);
const pretty = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

const modernMeta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'pins', version: '1.0.0' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What clients see, held byte for byte: a change of it is a decision, seen in review. */
describe('the interface as clients see it', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.close());

  /** The JSON-RPC message of the answer, out of a JSON body or an event stream. */
  async function message(method: string, params: object = {}, era: 'modern' | 'older' = 'modern'): Promise<unknown> {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method,
      params: era === 'modern' ? { ...params, _meta: modernMeta } : params,
    };
    const name = 'name' in params ? { 'mcp-name': String(params.name) } : {};
    const headers = era === 'modern' ? { 'mcp-protocol-version': '2026-07-28', 'mcp-method': method, ...name } : {};
    const text = await post(harness.endpoint, body, headers).then((response) => response.text());
    const data = text.split('\n').find((line) => line.startsWith('data: '));
    const parsed: unknown = JSON.parse(data?.slice('data: '.length) ?? text);
    return isJsonObject(parsed) ? (parsed.result ?? parsed.error) : parsed;
  }

  async function listed(era: 'modern' | 'older'): Promise<ListedTool[]> {
    const result = (await message('tools/list', {}, era)) as { tools: ListedTool[] };
    return result.tools;
  }

  it('tools/list is pinned, the same in both eras, and the same bytes each time', async () => {
    const tools = await listed('modern');
    await expect(pretty(tools)).toMatchFileSnapshot(pin('tools-list.json'));
    expect(await listed('older')).toEqual(tools);
    expect(JSON.stringify(await listed('modern'))).toBe(JSON.stringify(tools));
    await expect(toolsPage(tools)).toMatchFileSnapshot(join(projectRoot, 'docs/tools.md'));
  });

  it('server/discover and initialize are pinned', async () => {
    await expect(pretty(await message('server/discover'))).toMatchFileSnapshot(pin('server-discover.json'));
    const initialize = await message(
      'initialize',
      { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'pins', version: '1.0.0' } },
      'older',
    );
    await expect(pretty(initialize)).toMatchFileSnapshot(pin('initialize.json'));
  });

  it('the shapes of errors are pinned', async () => {
    const call = (name: string, args: unknown, era: 'modern' | 'older' = 'modern') =>
      message('tools/call', { name, arguments: args }, era);
    const source = { enclave: 'team-a', ...helloWorkflow('hello') };
    const shapes = {
      'unknown argument': await call('wf_status', { enclave: 'team-a', name: 'hello', detial: true }),
      'faults of a workflow': await call('wf_render', { ...source, workflow: { name: 'UPPER', version: 1 } }),
      'cluster away': await call('wf_status', { enclave: 'team-a', name: 'hello' }),
      'unknown tool': await call('wf_nothing', {}),
      'unknown tool, 2025-11-25': await call('wf_nothing', {}, 'older'),
      'arguments that are no object': await call('wf_list', 'text'),
      'arguments that are no object, 2025-11-25': await call('wf_list', 'text', 'older'),
      'unknown method': await message('tools/nothing'),
    };
    await expect(pretty(shapes)).toMatchFileSnapshot(pin('errors.json'));
  });

  it('every tool of the interface is listed, with a title, four annotations and a description under 2 KiB', async () => {
    const tools = await listed('modern');
    expect(tools.map(({ name }) => name).sort()).toEqual(Object.keys(toolApis).sort());
    for (const tool of tools) {
      expect(tool.title).toMatch(/^[A-Z]/);
      expect(Buffer.byteLength(tool.description)).toBeLessThan(2048);
      expect(Object.values(tool.annotations).every((hint) => typeof hint === 'boolean')).toBe(true);
      expect(Object.keys(tool.annotations).sort()).toEqual([
        'destructiveHint',
        'idempotentHint',
        'openWorldHint',
        'readOnlyHint',
      ]);
    }
    expect(Buffer.byteLength(instructions)).toBeLessThan(2048);
  });

  it('every input is a plain strict object with a description on each field; every destructive tool has dry_run', async () => {
    for (const { name, inputSchema, outputSchema, annotations } of await listed('modern')) {
      expect([name, inputSchema.type, inputSchema.additionalProperties]).toEqual([name, 'object', false]);
      for (const key of ['anyOf', 'oneOf', 'allOf', '$ref']) expect(inputSchema).not.toHaveProperty(key);
      const properties = Object.entries(isJsonObject(inputSchema.properties) ? inputSchema.properties : {});
      for (const [field, schema] of properties) {
        expect([name, field, isJsonObject(schema) && typeof schema.description]).toEqual([name, field, 'string']);
      }
      const destroys = annotations.destructiveHint && name !== 'wf_run';
      if (destroys)
        expect([name, properties.map(([field]) => field)]).toEqual([name, expect.arrayContaining(['dry_run'])]);
      expect(outputSchema.type).toBe('object');
    }
  });

  it('schemas compile in the validator of the official client', async () => {
    const validator = new AjvJsonSchemaValidator();
    const valid = (schema: JsonSchemaType, value: unknown) => validator.getValidator(schema)(value).valid;
    for (const tool of await listed('modern')) {
      const error = { code: 'not_found', message: 'm', hint: 'h' };
      expect(valid(tool.outputSchema, error)).toBe(true);
      expect(valid(tool.outputSchema, {})).toBe(false);
      expect(valid(tool.inputSchema, { surely_unknown: 1 })).toBe(false);
    }
  });
});
