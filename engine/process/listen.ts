import type { DenoRuntime, HttpServer } from './deno.ts';

/** One socket for both families where there is IPv6, else IPv4 alone. */
const addresses = ['::', '0.0.0.0'] as const;

/**
 * Listens on the first address that the pod has.
 * @throws Error where none can be bound (port taken, no permission)
 */
export function listen(
  deno: Pick<DenoRuntime, 'serve'>,
  options: { readonly port: number; readonly host?: string },
  handler: (request: Request) => Promise<Response>,
  onListen: (address: { readonly hostname: string; readonly port: number }) => void,
): HttpServer {
  const hosts = options.host === undefined ? addresses : [options.host];
  const errors: unknown[] = [];
  for (const hostname of hosts) {
    try {
      return deno.serve({ hostname, port: options.port, onListen }, handler);
    } catch (error) {
      // The port is taken whichever the family; only an address that is not there leads to the next.
      if (error instanceof Error && error.name === 'AddrInUse') throw error;
      errors.push(error);
    }
  }
  throw new AggregateError(errors, `cannot listen on port ${options.port} of ${hosts.join(' or ')}`);
}
