import { request } from 'node:http';
import { describe, expect, inject, it } from 'vitest';
import { bed } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/mcp.ts';

/** Mounted Secrets reach a pod with the kubelet's next sync, at most a minute or two later. */
const syncTimeoutMs = 150_000;

describe('the bearer token', () => {
  const { kube, endpoint, token } = bed();
  const namespace = inject('systemNamespace');
  const second = 'rotated-token-'.padEnd(64, 'r');

  async function setToken(value: string): Promise<void> {
    const data = Buffer.from(value).toString('base64');
    await kube.kubectl([
      'patch',
      'secret',
      'tentacular-mcp-auth',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      JSON.stringify({ data: { token: data } }),
    ]);
  }

  /** On a connection of its own (no agent), so that each request may meet another replica. */
  function status(value: string): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${value}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      };
      const sent = request(endpoint, { method: 'POST', headers, agent: false }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode));
      });
      sent.once('error', reject).end(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }));
    });
  }

  /**
   * Every replica agrees: several requests in a row, each on a connection of its own. Anything but accepted (200) and
   * refused (401) is an error: a server that fails must not pass for one that lets in.
   */
  async function settled(value: string, expected: 200 | 401): Promise<boolean> {
    for (let round = 0; round < 8; round += 1) {
      const found = await status(value);
      expect([200, 401]).toContain(found);
      if (found !== expected) return false;
    }
    return true;
  }

  it('rotates without a restart: both live for a while, then only the new one', { timeout: 600_000 }, async () => {
    const pods = async () =>
      (await kube.list('pods', namespace, 'app.kubernetes.io/name=tentacular-mcp'))
        // One that ends was there before a rollout that is hardly over.
        .filter((pod) => pod.metadata.deletionTimestamp === undefined)
        .map((pod) => pod.metadata.uid)
        .sort();
    const before = await pods();
    try {
      expect(await settled(second, 401)).toBe(true);
      await setToken(`${token}\n${second}`);
      await eventually('the new token is accepted', () => settled(second, 200), { timeoutMs: syncTimeoutMs });
      expect(await settled(token, 200)).toBe(true);
      await setToken(second);
      await eventually('the old token is refused', () => settled(token, 401), { timeoutMs: syncTimeoutMs });
      const mcp = await connect('2026-07-28', endpoint, second);
      await mcp.ok('enclave_list', {});
      await mcp.close();
    } finally {
      await setToken(token);
      await eventually('the first token is accepted again', () => settled(token, 200), { timeoutMs: syncTimeoutMs });
    }
    expect(await pods()).toEqual(before);
  });
});
