import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Catalog } from '../tools/catalog.ts';
import type { Tool } from '../tools/tool.ts';
import { type CallDependencies, callTool, type ToolCall } from './call.ts';
import { type ListedTool, listedTool } from './listing.ts';

/** A tool as the protocol needs it: what it is listed as, and how it is called. */
export interface ServedTool {
  readonly listed: ListedTool;
  /** A call may last more than a few seconds: it is answered as an event stream. */
  readonly mayLast: boolean;
  /** Never rejects because of what the call is about: that is a result with `isError`. */
  call(call: ToolCall): Promise<CallToolResult>;
}

/** The tools of the product; each call is validated, admitted, counted and recorded. */
export function serveTools(catalog: Catalog, deps: CallDependencies): ServedTool[] {
  return Object.values<Tool>(catalog).map((tool) => ({
    listed: listedTool(tool),
    mayLast: tool.mayLast,
    call: (call) => callTool(tool, call, deps),
  }));
}
