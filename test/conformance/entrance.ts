import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Entrance {
  /** Where to ask for what the server has at `path`. */
  url(path: string): string;
  close(): Promise<void>;
}

/**
 * A way in on loopback that adds the caller's token to each request and changes nothing else, Host and Origin included:
 * the suite cannot be given a credential, and the server takes nobody without one.
 */
export async function openEntrance(server: string, token: string): Promise<Entrance> {
  const { hostname, port } = new URL(server);
  const entrance = createServer((incoming, outgoing) => {
    const headers = [...incoming.rawHeaders, 'authorization', `Bearer ${token}`];
    const { method = 'GET', url: path = '/' } = incoming;
    const onward = request({ hostname, port, method, path, headers, setHost: false }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
      answer.pipe(outgoing);
    });
    onward.on('error', (error) => outgoing.destroy(error));
    // Who goes away is gone for the server too.
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => entrance.listen(0, '127.0.0.1', resolve));
  const { port: own } = entrance.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${own}${path}`,
    close: () =>
      new Promise((resolve) => {
        entrance.close(() => resolve());
        entrance.closeAllConnections();
      }),
  };
}
