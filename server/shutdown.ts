import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Lifecycle } from './lifecycle.ts';
import { errorFields, type Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

export interface Going {
  readonly server: Server;
  readonly metricsServer: Server;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
  readonly mcp: { close(): Promise<void> };
  readonly cluster: { close(): Promise<void> };
  readonly log: Logger;
  /** From now to the end, at most. */
  readonly drainSeconds: number;
}

/** The end of the drain that belongs to calls that only wait: they are told the state so far. */
const lastWordsMs = 2000;
/** Longest time in which requests are still taken after `/readyz` says no: endpoints take a moment to follow. */
const maxLameDuckMs = 5000;

/** Ends the process without losing a request that was accepted; gives the number of those that had to be cut off. */
export async function shutDown(going: Going, options: { readonly lameDuck: boolean }): Promise<number> {
  const { server, metricsServer, lifecycle, log } = going;
  const totalMs = going.drainSeconds * 1000;
  const startedAt = performance.now();
  const leftMs = () => Math.max(0, totalMs - (performance.now() - startedAt));
  lifecycle.drain();
  going.metrics.draining(true);
  log.info({ in_flight: lifecycle.inFlight, drain_seconds: going.drainSeconds }, 'draining');
  if (options.lameDuck) await pause(Math.min(maxLameDuckMs, totalMs / 4));
  server.close();
  let lost = await lifecycle.idle(Math.max(0, leftMs() - lastWordsMs));
  if (lost > 0) {
    lifecycle.stop();
    lost = await lifecycle.idle(Math.max(lastWordsMs, leftMs()));
  }
  server.closeAllConnections();
  metricsServer.close();
  metricsServer.closeAllConnections();
  const closed = await Promise.allSettled([going.mcp.close(), going.cluster.close()]);
  for (const result of closed) {
    if (result.status === 'rejected') log.warn(errorFields(result.reason), 'something did not close');
  }
  log.info({ lost }, 'ended');
  return lost;
}
