import { AsyncLocalStorage } from 'node:async_hooks';
import type { NodeLog } from '../api.ts';

/** The node on whose behalf code runs, across `await` and timers. */
export interface NodeScope {
  readonly node: string;
  readonly runId: string;
  readonly log: NodeLog;
}

/** So that a line of `console.log` and an unhandled rejection can be told to be a certain node's. */
export const nodeScope = new AsyncLocalStorage<NodeScope>();
