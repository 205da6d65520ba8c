import { request } from 'node:http';

/** The cheapest request that needs a caller, on a connection of its own, so that each may meet another replica. */
export function ping(
  endpoint: string,
  token: string,
): Promise<{ readonly status: number; readonly retryAfter: number }> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  return new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: 'POST', headers, agent: false, timeout: 10_000 }, (response) => {
      const { statusCode = 0, headers } = response;
      response.resume().once('end', () => resolve({ status: statusCode, retryAfter: Number(headers['retry-after']) }));
    });
    sent.once('timeout', () => sent.destroy(new Error('no answer in 10 s'))).once('error', reject);
    sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }));
  });
}

/** Answers alike in a row: that all come from the same one of two replicas happens once in 8 million times. */
const rounds = 24;

/**
 * Whether each replica answers so. One after the other, to the first that does not: wrong tokens are limited to a few a
 * second. Anything but let in, refused and not yet (200, 401, 503) is an error.
 */
export async function everyReplica(endpoint: string, token: string, wanted: 200 | 401): Promise<boolean> {
  for (let round = 0; round < rounds; round += 1) {
    const { status } = await ping(endpoint, token);
    if (![200, 401, 503].includes(status)) throw new Error(`${endpoint} answers ${status}`);
    if (status !== wanted) return false;
  }
  return true;
}
