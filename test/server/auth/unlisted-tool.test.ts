import { describe, expect, it } from 'vitest';
import { toolApis } from '../../../server/api/tools.ts';
import { operations } from '../../../server/authz/operations.ts';
import { post, token as staticToken } from '../support/harness.ts';
import { useOidcServer } from '../support/oidc-server.ts';

/** Names by which somebody might hope to reach what is not on offer, or to pass by what is asked of a tool. */
const names = [
  ...Object.keys(operations).filter((name) => !(name in toolApis)),
  'wf_rollback',
  'constructor',
  '__proto__',
  'toString',
  'WF_REMOVE',
  'wf_remove ',
  'wf_remove\u0000',
  'wf_remove\u200b',
  'wf\u005fremove/../wf_remove',
];

describe('a tool that tools/list does not show', () => {
  const server = useOidcServer({ wf_remove: ['tentacles:destroy'] });

  const call = (name: unknown) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name, arguments: { enclave: 'team-a', name: 'x' } },
  });
  const send = (token: string, body: unknown) =>
    post(server().harness.endpoint, body, { authorization: `Bearer ${token}` });

  it.each(names)('cannot be called either, by nobody: %j', async (name) => {
    for (const token of [await server().issuer.token(), staticToken]) {
      const answer = await (await send(token, call(name))).text();
      expect(answer).toContain('-32602');
      expect(answer).toContain('There is no tool');
      expect(server().harness.audit.filter(({ decision }) => decision === 'allowed')).toEqual([]);
    }
  });

  it('is not reached past the scopes of a tool by writing its name twice, or in another place', async () => {
    server().harness.audit.length = 0;
    const token = await server().issuer.token({ scope: 'openid' });
    const twice = JSON.stringify(call('wf_list')).replace('"name":"wf_list"', '"name":"wf_list","name":"wf_remove"');
    expect((await send(token, twice)).status).toBe(403);
    const escaped = JSON.stringify(call('wf_remove')).replace('wf_remove', 'wf\\u005fremove');
    expect((await send(token, escaped)).status).toBe(403);
    for (const name of [['wf_remove'], { toString: 'wf_remove' }, 1]) {
      expect(await (await send(token, call(name))).text()).not.toContain('"result"');
    }
    expect(server().harness.audit.every(({ decision }) => decision === 'denied')).toBe(true);
  });
});
