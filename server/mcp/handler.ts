import {
  createMcpHandler,
  type McpHttpHandler,
  type McpRequestContext,
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isJsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Principal } from '../../constructs/model/principal.ts';
import { errorFields, type Logger } from '../telemetry/log.ts';
import type { ToolCall } from './call.ts';
import { clientIdentity } from './client.ts';
import { instructions } from './instructions.ts';
import type { ListedTool } from './listing.ts';
import type { ServedTool } from './served-tool.ts';
import { traceIdOf, traceparentOf } from './trace.ts';

export interface McpDependencies {
  /** In the order in which clients see them; each name once. */
  readonly tools: readonly ServedTool[];
  /** Told of a call by a name that no tool has; the caller is answered with a protocol error. */
  readonly unknownTool: (name: string, call: ToolCall) => void;
  readonly version: string;
  readonly log: Logger;
  /** Ends what waits when the process must stop. */
  readonly stopping: AbortSignal;
  /** First byte of an event stream that has nothing to say yet, and the interval after it. Default 10 000. */
  readonly keepAliveMs?: number;
}

/**
 * The eras that this server is tested for, and 2025-06-18, which is the older one with less in it. Before it a body could
 * be a batch, which is refused here.
 */
const protocolVersions = ['2026-07-28', '2025-11-25', '2025-06-18'] as const;

/** The list comes whole, so no cursor is one of ours. */
const wholeList = z.looseObject({
  cursor: z.never({ error: 'tools/list has one page, and gives out no cursor' }).optional(),
});

/** The two ways in which one request is answered; `pick` says which. */
export interface McpEndpoint {
  /** The handler for a parsed body: an event stream from the start where the call may last. */
  pick(body: unknown): McpHttpHandler;
  close(): Promise<void>;
}

/** What our own authentication put into the request for the handlers. */
export interface CallerInfo {
  readonly principal: Principal;
}

/**
 * MCP over HTTP, both protocol eras, without any state between two requests: each gets a server object of its own,
 * made from the same tools.
 */
export function createMcpEndpoint(deps: McpDependencies): McpEndpoint {
  const listed = deps.tools.map((tool) => tool.listed);
  const tools = new Map(deps.tools.map((tool) => [tool.listed.name, tool]));
  const factory = (request: McpRequestContext) => createServer(deps, { tools, listed, request });
  const options = {
    keepAliveMs: deps.keepAliveMs ?? 10_000,
    onerror: (error: Error) => deps.log.debug(errorFields(error), 'MCP request refused'),
  };
  const short = createMcpHandler(factory, options);
  const lasting = createMcpHandler(factory, { ...options, responseMode: 'sse' });
  return {
    pick: (body) => (mayLast(body, tools) ? lasting : short),
    close: async () => {
      await Promise.all([short.close(), lasting.close()]);
    },
  };
}

function mayLast(body: unknown, tools: ReadonlyMap<string, ServedTool>): boolean {
  if (!isJsonObject(body) || body.method !== 'tools/call' || !isJsonObject(body.params)) return false;
  const { name } = body.params;
  return typeof name === 'string' && tools.get(name)?.mayLast === true;
}

interface Serving {
  readonly tools: ReadonlyMap<string, ServedTool>;
  readonly listed: readonly ListedTool[];
  readonly request: McpRequestContext;
}

function createServer(deps: McpDependencies, { tools, listed, request }: Serving): Server {
  const server = new Server(
    { name: 'tentacular', title: 'Tentacular', version: deps.version },
    { capabilities: { tools: {} }, instructions, supportedProtocolVersions: [...protocolVersions] },
  );
  server.setRequestHandler('tools/list', { params: wholeList }, () => ({ tools: [...listed] }));
  server.setRequestHandler('tools/call', async ({ params }, context) => {
    const call: ToolCall = {
      // The body was JSON, so its arguments are.
      arguments: (params.arguments ?? {}) as JsonValue,
      principal: callerOf(request).principal,
      client: clientIdentity(context.mcpReq.envelope, request.requestInfo?.headers.get('user-agent')),
      traceId: traceIdOf(traceparentOf(context.mcpReq._meta, request.requestInfo?.headers.get('traceparent'))),
      signal: AbortSignal.any([context.mcpReq.signal, deps.stopping]),
      progress: progressOf(context, deps),
    };
    const tool = tools.get(params.name);
    if (tool !== undefined) return tool.call(call);
    deps.unknownTool(params.name, call);
    const shown = JSON.stringify(params.name.slice(0, 64));
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool ${shown}.`);
  });
  return server;
}

function callerOf(request: McpRequestContext): CallerInfo {
  const principal = request.authInfo?.extra?.principal;
  if (!isPrincipal(principal)) throw new Error('a request reached MCP without a principal');
  return { principal };
}

function isPrincipal(value: unknown): value is Principal {
  return isJsonObject(value) && (value.kind === 'token' || value.kind === 'oidc') && typeof value.name === 'string';
}

function progressOf(context: ServerContext, deps: McpDependencies): (message: string) => void {
  const progressToken = context.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return () => undefined;
  let progress = 0;
  return (message) => {
    progress += 1;
    context.mcpReq
      .notify({ method: 'notifications/progress', params: { progressToken, progress, message } })
      .catch((error: unknown) => deps.log.debug(errorFields(error), 'progress could not be sent'));
  };
}
