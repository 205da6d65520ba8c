import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** A port on an address of this machine that leads to another one. */
export interface HostPort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Lets pods reach what listens on loopback: passes every connection to `address` on to `target()`, and ends it at once
 * where nobody listens there.
 * @param target Port on loopback at this moment; undefined: there is none yet.
 */
export async function openHostPort(address: string, target: () => number | undefined): Promise<HostPort> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((incoming) => {
    keep(incoming);
    const port = target();
    if (port === undefined) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(port, '127.0.0.1');
    keep(outgoing);
    // Either end's failure is the other's end: to those who talk through here it looks like one connection.
    incoming.on('error', () => outgoing.destroy()).pipe(outgoing);
    outgoing.on('error', () => incoming.destroy()).pipe(incoming);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, address, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
