import { createServer } from 'node:net';

/** Below the ports that Linux gives to whoever asks for any (ip_local_port_range, 32768 on) and below NodePorts. */
const firstPort = 20_000;
const portCount = 10_000;
const maxTries = 100;

/**
 * A port of this machine that nobody has, for a program that must be told its port and takes a while to listen on it.
 * None that the system gives by itself: whoever connects or listens to port 0 meanwhile could be given that one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const port = firstPort + Math.floor(Math.random() * portCount);
    if (await isFree(port)) return port;
  }
  throw new Error(`${maxTries} ports from ${firstPort} on are all taken`);
}

/** On every address, so that it is free on each of them. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    );
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
