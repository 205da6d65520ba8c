import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userAgentOf } from '../../../server/mcp/user-agent.ts';

const agentOf = (name: string) =>
  userAgentOf({ version: '1.2.3', principal: { kind: 'token', name }, callId: '0000-call' });

describe('the User-Agent of a call', () => {
  it('names caller and call', () => {
    expect(agentOf('bearer-token')).toBe('tentacular/1.2.3 (caller=token:bearer-token; call=0000-call)');
    expect(agentOf('ada+x@example.com')).toContain('caller=token:ada+x@example.com;');
    expect(agentOf('Ädä')).toContain('caller=token:%C3%84d%C3%A4;');
  });

  // A name comes from the issuer: it could end the header, the comment or the field, and forge the id of another call.
  it.each(['a\r\nx-remote-user: admin', 'a; call=forged', 'a) kubectl/1.0 (', 'a\u0000', '"', '%20', '\ud800'])(
    'no name breaks out of it: %j',
    (name) => {
      expect(agentOf(name)).toMatch(/^tentacular\/1\.2\.3 \(caller=token:[\w@.+:%-]*; call=0000-call\)$/);
    },
  );

  it('any name fits into a header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (name) => {
        const agent = agentOf(name);
        expect(agent).toMatch(/^tentacular\/1\.2\.3 \(caller=token:[\w@.+:%-]*; call=0000-call\)$/);
        expect(agent.length).toBeLessThan(256);
      }),
    );
  });
});
