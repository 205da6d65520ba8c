import { describe, expect, inject, it } from 'vitest';
import { bed } from '../support/e2e.ts';
import { eventually } from '../support/eventually.ts';
import { connect } from '../support/mcp.ts';
import { everyReplica } from '../support/ping.ts';

/** Mounted Secrets reach a pod with the kubelet's next sync, at most a minute or two later. */
const wait = { timeoutMs: 150_000, intervalMs: 500 };

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

  const settled = (value: string, expected: 200 | 401) => everyReplica(endpoint, value, expected);

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
      await eventually('the new token is accepted', () => settled(second, 200), wait);
      expect(await settled(token, 200)).toBe(true);
      await setToken(second);
      await eventually('the old token is refused', () => settled(token, 401), wait);
      const mcp = await connect('2026-07-28', endpoint, second);
      await mcp.ok('enclave_list', {});
      await mcp.close();
    } finally {
      await setToken(token);
      await eventually('the first token is accepted again', () => settled(token, 200), wait);
    }
    expect(await pods()).toEqual(before);
  });
});
