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
  return {
    async get(url) {
      const response = await request(url, {
        dispatcher: agent,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(timeoutMs),
      });
      // A redirect is not followed: whoever can plant one would choose the keys.
      if (response.statusCode !== 200) {
        await response.body.dump({ limit: 16_384 });
        throw new Error(`${url} answered ${response.statusCode}, not 200`);
      }
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of response.body) {
        const bytes = Buffer.from(chunk);
        size += bytes.length;
        if (size > maxBytes) throw new Error(`${url} answered with more than ${maxBytes} bytes`);
        chunks.push(bytes);
      }
      try {
        return JSON.parse(Buffer.concat(chunks).toString('utf8'));
      } catch {
        throw new Error(`${url} answered with something that is not JSON`);
      }
    },
    close: () => agent.destroy(),
  };
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
