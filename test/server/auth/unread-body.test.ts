import { describe, expect, it } from 'vitest';
import { post, token as staticToken } from '../support/harness.ts';
import { useOidcServer } from '../support/oidc-server.ts';

const call = (name: string) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: { enclave: 'team-a', name: 'hello' } },
});

// The harm: the protocol reads a body that nobody has read before it by rules of its own (white space of JavaScript
// around the media type), and scopes, batches and depth were never judged.
describe('a body whose type the server and the protocol take for different things', () => {
  const server = useOidcServer({ wf_remove: ['tentacles:destroy'] });

  const types = ['application/json\u00a0', '\u00a0application/json', '\u00a0application/json\u00a0', 'text/plain', ''];

  it.each(types)('is a call of nothing, whatever scopes the token has: %j', async (type) => {
    server().harness.audit.length = 0;
    for (const token of [await server().issuer.token({ scope: 'openid' }), staticToken]) {
      const headers = { authorization: `Bearer ${token}`, 'content-type': type };
      const answer = await post(server().harness.endpoint, call('wf_remove'), headers);
      expect(answer.status).toBe(415);
      expect(await answer.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32000 } });
    }
    expect(server().harness.audit).toEqual([]);
  });

  it.each(types)('is no way for a batch, or for what is nested without end: %j', async (type) => {
    const deep = JSON.stringify({ ...call('wf_list'), params: '[' }).replace('"["', '['.repeat(500) + ']'.repeat(500));
    for (const body of [[call('wf_list'), call('wf_list')], deep]) {
      expect((await post(server().harness.endpoint, body, { 'content-type': type })).status).toBe(415);
    }
    expect(server().harness.audit).toEqual([]);
  });

  it.each(['APPLICATION/JSON', 'application/json;', 'application/json;;', 'application/json; charset=UTF-8; x'])(
    'is one of JSON however it is written: %j',
    async (type) => {
      const headers = {
        authorization: `Bearer ${await server().issuer.token({ scope: 'openid' })}`,
        'content-type': type,
      };
      expect((await post(server().harness.endpoint, call('wf_remove'), headers)).status).toBe(403);
      expect((await post(server().harness.endpoint, call('wf_list'), headers)).status).toBe(200);
    },
  );
});
