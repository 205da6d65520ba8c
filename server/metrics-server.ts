import { createServer, type Server } from 'node:http';
import { errorFields, type Logger } from './telemetry/log.ts';
import type { Metrics } from './telemetry/metrics.ts';

/** `/metrics` on a port of its own, which the network policy opens to the monitoring alone. */
export function createMetricsServer({ registry }: Metrics, log: Logger): Server {
  return createServer((request, response) => {
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    registry.metrics().then(
      (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
      (error: unknown) => {
        log.error(errorFields(error), 'metrics could not be collected');
        response.writeHead(500).end();
      },
    );
  });
}
