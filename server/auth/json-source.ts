import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Agent, request } from 'undici';

export interface JsonSourceOptions {
  /** Certificates in PEM that are trusted beside the public ones. */
  readonly ca?: string;
  /** From the first byte sent to the last received, in milliseconds. Default 3000. */
  readonly timeoutMs?: number;
  /** Largest answer, in bytes. Default 256 KiB. */
  readonly maxBytes?: number;
}

/** Reads JSON documents over HTTP: bounded in time and size, and from no other place than the one that was named. */
export interface JsonSource {
  get(url: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Throws where `ca` is not what it should be. */
export function createJsonSource(options: JsonSourceOptions = {}): JsonSource {
  const { ca, timeoutMs = 3000, maxBytes = 256 * 1024 } = options;
  const agent = new Agent({
    connections: 2,
    connect: { timeout: timeoutMs, ...(ca === undefined ? {} : { ca: [...rootCertificates, ...certificatesIn(ca)] }) },
  });

  /** What was answered, or why that is nothing to be read. */
  async function receive(url: string): Promise<{ readonly text: string } | { readonly fault: string }> {
    const response = await request(url, {
      dispatcher: agent,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
    });
    // A redirect is not followed: whoever can plant one would choose the keys.
    if (response.statusCode !== 200) {
      await response.body.dump({ limit: 16_384 });
      return { fault: `answered ${response.statusCode}, not 200` };
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > maxBytes) return { fault: `answered with more than ${maxBytes} bytes` };
      chunks.push(bytes);
    }
    return { text: Buffer.concat(chunks).toString('utf8') };
  }

  return {
    async get(url) {
      const received = await receive(url).catch((error: unknown) => ({ fault: `cannot be read: ${told(error)}` }));
      if ('fault' in received) throw new Error(`${url} ${received.fault}`);
      try {
        return JSON.parse(received.text);
      } catch {
        throw new Error(`${url} answered with something that is not JSON`);
      }
    },
    close: () => agent.destroy(),
  };
}

/** Of a name with several addresses the error itself says nothing, those of its addresses do. */
function told(error: unknown): string {
  const causes: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  return causes.map((cause) => (cause instanceof Error ? cause.message.trim() : String(cause))).join('; ');
}

/** TLS itself passes over what it cannot read, and then trusts less than was meant. */
function certificatesIn(pem: string): string[] {
  const found = pem.match(/-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----/gs) ?? [];
  if (found.length === 0) throw new Error('holds no certificate in PEM');
  for (const [index, certificate] of found.entries()) {
    try {
      new X509Certificate(certificate);
    } catch {
      throw new Error(`holds something that is no certificate, as number ${index + 1}`);
    }
  }
  return found;
}
