import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Everything that `/metrics` shows. A registry of its own, so that two apps in one process do not mix. */
export interface Metrics {
  readonly registry: Registry;
  /** One tool call; `outcome` is `ok` or the code of the error. */
  call(tool: string, outcome: string, seconds: number): void;
  callStarted(): void;
  callEnded(): void;
  /** One refused request; `reason` from a fixed list. */
  refused(reason: string): void;
  /** One request to the API server. */
  apiRequest(verb: string, resource: string, status: number, seconds: number): void;
  draining(value: boolean): void;
}

const secondsBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const calls = new Counter({
    name: 'tentacular_tool_calls_total',
    help: 'Tool calls by tool and outcome (ok, or the code of the error).',
    labelNames: ['tool', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'tentacular_tool_call_duration_seconds',
    help: 'Duration of tool calls.',
    labelNames: ['tool'],
    buckets: secondsBuckets,
    registers,
  });
  const inFlight = new Gauge({ name: 'tentacular_tool_calls_in_flight', help: 'Tool calls under way.', registers });
  const refusals = new Counter({
    name: 'tentacular_requests_refused_total',
    help: 'HTTP requests refused before a tool was reached, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const apiRequests = new Counter({
    name: 'tentacular_api_requests_total',
    help: 'Requests to the Kubernetes API server by verb, resource and status (0: no answer).',
    labelNames: ['verb', 'resource', 'status'],
    registers,
  });
  const apiDurations = new Histogram({
    name: 'tentacular_api_request_duration_seconds',
    help: 'Duration of requests to the Kubernetes API server.',
    labelNames: ['verb'],
    buckets: secondsBuckets,
    registers,
  });
  const drain = new Gauge({ name: 'tentacular_draining', help: '1 while the server shuts down.', registers });

  return {
    registry,
    call(tool, outcome, seconds) {
      calls.inc({ tool, outcome });
      durations.observe({ tool }, seconds);
    },
    callStarted: () => inFlight.inc(),
    callEnded: () => inFlight.dec(),
    refused: (reason) => refusals.inc({ reason }),
    apiRequest(verb, resource, status, seconds) {
      apiRequests.inc({ verb, resource, status });
      apiDurations.observe({ verb }, seconds);
    },
    draining: (value) => drain.set(value ? 1 : 0),
  };
}
