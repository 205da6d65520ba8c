import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { runCommand } from '../../local/run-command.ts';

/** A port on an address of this machine that leads to another one. */
export interface HostPort {
  readonly port: number;
  close(): Promise<void>;
}

/** PEM. The certificate is its own authority. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** A new one that nobody trusts by itself, for an IP address. */
export async function selfSigned(address: string): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')] as const;
  try {
    await runCommand('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'],
      ...['-subj', '/CN=test', '-addext', `subjectAltName=IP:${address}`, '-keyout', key, '-out', cert],
    ]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Lets pods reach what listens on loopback: passes every connection to `address` on to `target()`, and ends it at once
 * where nobody listens there.
 * @param target Port on loopback at this moment; undefined: there is none yet.
 * @param tls With these, what comes in is TLS, and what goes on is not.
 */
export async function openHostPort(
  address: string,
  target: () => number | undefined,
  tls?: Certificate,
): Promise<HostPort> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  const pass = (incoming: Socket) => {
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
  };
  const server = tls ? createTlsServer(tls, pass) : createServer(pass);
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
