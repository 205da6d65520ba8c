import { Client as ModernClient, StreamableHTTPClientTransport as ModernTransport } from '@modelcontextprotocol/client';
import { Client as OlderClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as OlderTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';

/** The two protocol eras that every server answers on one path. */
export const eras = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof eras)[number];

export interface Progress {
  readonly progress: number;
  readonly message?: string | undefined;
}

/** What a call of a tool came to: exactly one of `result` and `error`. */
export interface ToolOutcome {
  readonly result?: JsonObject;
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
    readonly details?: JsonObject;
  };
  /** The text block, as a client that reads no structured content sees it. */
  readonly text: string;
}

export interface McpConnection {
  readonly era: Era;
  /** Calls a tool and expects success. Throws with the error's code and message otherwise. */
  ok(tool: string, args: JsonObject, onProgress?: (progress: Progress) => void): Promise<JsonObject>;
  /** Calls a tool and expects a tool error. Throws if it succeeds. */
  refused(tool: string, args: JsonObject): Promise<NonNullable<ToolOutcome['error']>>;
  call(tool: string, args: JsonObject, onProgress?: (progress: Progress) => void): Promise<ToolOutcome>;
  toolNames(): Promise<string[]>;
  close(): Promise<void>;
}

const callTimeoutMs = 200_000;

/** Connects with the official client of that era: SDK v1 for 2025-11-25, v2 pinned to 2026-07-28. */
export async function connect(era: Era, endpoint: string, token: string): Promise<McpConnection> {
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const info = { name: `tentacular-e2e-${era}`, version: '1.0.0' };
  const url = new URL(endpoint);
  if (era === '2025-11-25') {
    const client = new OlderClient(info);
    await client.connect(new OlderTransport(url, { requestInit }) as Parameters<typeof client.connect>[0]);
    return connection(era, {
      callTool: (name, args, onprogress) =>
        client.callTool({ name, arguments: args }, undefined, requestOptions(onprogress)),
      listTools: () => client.listTools(),
      close: () => client.close(),
    });
  }
  const client = new ModernClient(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new ModernTransport(url, { requestInit }));
  return connection(era, {
    callTool: (name, args, onprogress) => client.callTool({ name, arguments: args }, requestOptions(onprogress)),
    listTools: () => client.listTools(),
    close: () => client.close(),
  });
}

interface RawClient {
  callTool(name: string, args: JsonObject, onProgress?: (progress: Progress) => void): Promise<unknown>;
  listTools(): Promise<{ tools: readonly { name: string }[] }>;
  close(): Promise<void>;
}

function requestOptions(onprogress?: (progress: Progress) => void) {
  return onprogress === undefined ? { timeout: callTimeoutMs } : { timeout: callTimeoutMs, onprogress };
}

function connection(era: Era, client: RawClient): McpConnection {
  const call = async (tool: string, args: JsonObject, onProgress?: (progress: Progress) => void) =>
    outcomeOf(tool, await client.callTool(tool, args, onProgress));
  return {
    era,
    call,
    async ok(tool, args, onProgress) {
      const outcome = await call(tool, args, onProgress);
      if (outcome.result === undefined) throw new Error(`${tool} failed: ${outcome.text}`);
      return outcome.result;
    },
    async refused(tool, args) {
      const outcome = await call(tool, args);
      if (outcome.error === undefined) throw new Error(`${tool} succeeded though it must be refused: ${outcome.text}`);
      return outcome.error;
    },
    toolNames: async () => (await client.listTools()).tools.map((tool) => tool.name),
    close: () => client.close(),
  };
}

function outcomeOf(tool: string, raw: unknown): ToolOutcome {
  if (!isJsonObject(raw) || !isJsonObject(raw.structuredContent)) {
    throw new Error(`${tool} answered without structured content: ${JSON.stringify(raw)}`);
  }
  const block = Array.isArray(raw.content) ? raw.content[0] : undefined;
  const text = isJsonObject(block) && typeof block.text === 'string' ? block.text : '';
  if (raw.isError !== true) return { result: raw.structuredContent, text };
  const { code, message, hint, details } = raw.structuredContent;
  if (typeof code !== 'string' || typeof message !== 'string' || typeof hint !== 'string') {
    throw new Error(`${tool} answered with an error of another shape: ${JSON.stringify(raw.structuredContent)}`);
  }
  return { error: { code, message, hint, ...(isJsonObject(details) ? { details } : {}) }, text };
}
