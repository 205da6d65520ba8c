import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import type { JsonValue } from '../../constructs/model/json.ts';
import type { Layout } from './layout.ts';

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 8 << 20;

export interface LoopbackAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks one of the cluster's own HTTPS ports on loopback, as admin; the certificate is verified against the cluster's authority. */
export async function askLoopback(
  layout: Layout,
  port: number,
  path: string,
  options: { method?: 'GET' | 'POST'; body?: string; user?: string } = {},
): Promise<LoopbackAnswer> {
  const user = options.user ?? 'admin';
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', `${user}.crt`, `${user}.key`].map((file) => readFile(join(layout.pki, file))),
  );
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: '127.0.0.1',
        port,
        path,
        method: options.method ?? 'GET',
        ca,
        cert,
        key,
        agent: false,
        timeout: TIMEOUT_MS,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > MAX_BYTES) call.destroy(new Error(`answer is larger than ${MAX_BYTES} bytes`));
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    call.on('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    call.on('error', reject);
    call.end(options.body);
  });
}

/** `undefined` where the API server answers anything but 200. */
export async function getObject(layout: Layout, port: number, path: string): Promise<JsonValue | undefined> {
  const answer = await askLoopback(layout, port, path);
  return answer.status === 200 ? (JSON.parse(answer.body) as JsonValue) : undefined;
}
