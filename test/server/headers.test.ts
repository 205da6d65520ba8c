import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Harness, post, startHarness, token } from './support/harness.ts';

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

describe('headers', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await startHarness();
  });
  afterAll(() => harness.close());

  /** As no HTTP client would send it. Resolves with everything that came back. */
  async function sendRaw(...headers: string[]): Promise<string> {
    const body = JSON.stringify(ping);
    const common = [
      'POST /mcp HTTP/1.1',
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      `content-length: ${body.length}`,
      'connection: close',
    ];
    const socket = connect(Number(new URL(harness.url).port), '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => (text += part));
    socket.write(`${[...common, ...headers].join('\r\n')}\r\n\r\n${body}`);
    await once(socket, 'close');
    return text;
  }

  it('have room for a token that is too long, so that who sends it is told what is wrong', async () => {
    for (const length of [16_385, 30_000]) {
      const response = await post(harness.endpoint, ping, { authorization: `Bearer ${'x'.repeat(length)}` });
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
      expect(await response.json()).toMatchObject({ error_description: 'The token is too long.' });
    }
    expect((await post(harness.endpoint, ping, { 'x-pad': 'x'.repeat(33_000) })).status).toBe(431);
  });

  it.each(['', ']', 'a b', 'a:b', '[::1', '%zz'])('with %j for a host are no fault of the server', async (host) => {
    harness.logs.length = 0;
    const answer = await sendRaw(`host: ${host}`, `authorization: Bearer ${token}`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).toContain('The Host header names no host');
    expect(harness.logs.join('')).not.toContain('"level":"error"');
    // Who is not known learns nothing, of this neither.
    expect(await sendRaw(`host: ${host}`)).toMatch(/^HTTP\/1.1 401 /);
  });

  it('with two credentials are judged by the first, whichever is right', async () => {
    const [right, wrong] = [`authorization: Bearer ${token}`, `authorization: Bearer ${'x'.repeat(64)}`];
    expect(await sendRaw('host: a', right, wrong)).toMatch(/^HTTP\/1.1 200 /);
    for (const credentials of [[wrong, right], [`${right}, Bearer ${token}`], [`${right},${token}`]]) {
      expect(await sendRaw('host: a', ...credentials)).toMatch(/^HTTP\/1.1 401 /);
    }
  });
});
