import { Duplex } from 'node:stream';
import type { WebSocket } from 'undici';
import { plainText } from './plain-text.ts';
import type { Transport } from './transport.ts';

/** The framing of kubectl's older WebSocket protocol: first byte = channel, 0 data, 1 error. */
const protocol = 'v4.channel.k8s.io';
/** Each channel begins with the port number in two bytes. */
const portBytes = 2;

/** A byte stream to a port of a pod, through the API server; for development outside the cluster. */
export async function openPortForward(
  transport: Transport,
  target: { readonly namespace: string; readonly pod: string; readonly port: number },
  { signal, userAgent }: { readonly signal: AbortSignal; readonly userAgent?: string },
): Promise<Duplex> {
  const namespace = encodeURIComponent(target.namespace);
  const path = `/api/v1/namespaces/${namespace}/pods/${encodeURIComponent(target.pod)}/portforward?ports=${target.port}`;
  const socket = await transport.webSocket(path, [protocol], userAgent);
  socket.binaryType = 'arraybuffer';
  const stop = () => socket.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await opened(socket);
    return new ForwardedStream(socket);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    const fail = () => reject(new Error('the port-forward could not be opened'));
    socket.addEventListener('error', fail, { once: true });
    socket.addEventListener('close', fail, { once: true });
  });
}

class ForwardedStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #skip = [portBytes, portBytes];

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#receive(Buffer.from(data as ArrayBuffer)));
    socket.addEventListener('close', () => this.push(null));
    socket.addEventListener('error', () => this.destroy(new Error('the port-forward broke off')));
  }

  #receive(frame: Buffer): void {
    const channel = frame[0] ?? 0;
    const skipped = this.#skip[channel] ?? 0;
    this.#skip[channel] = 0;
    const data = frame.subarray(1 + skipped);
    if (data.length === 0) return;
    if (channel === 0) this.push(data);
    else this.destroy(new Error(`the port-forward failed: ${plainText(data.toString('utf8'), 300)}`));
  }

  override _read(): void {
    // Frames are pushed as they come.
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(0), chunk]));
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    // This protocol cannot half-close: closing now would lose the answer.
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.close();
    done(error);
  }
}
