import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';

const TIMEOUT_MS = 2_000;

/** Whether a health port on loopback answers 200. */
export async function askHealth(port: number, path: string): Promise<boolean> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  await response.arrayBuffer();
  return response.status === 200;
}

/** Whether somebody accepts connections on a Unix socket. */
export function socketAnswers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(TIMEOUT_MS, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Whether the DNS at this ClusterIP knows the API server: proves service rules, pod network and CoreDNS at once. */
export async function dnsAnswers(dnsIp: string, apiServiceIp: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 300, tries: 1 });
  resolver.setServers([dnsIp]);
  const addresses = await resolver.resolve4('kubernetes.default.svc.cluster.local');
  return addresses.includes(apiServiceIp);
}
