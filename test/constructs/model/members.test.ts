import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalMember, formatMembers, isMemberName, parseMembers } from '../../../constructs/model/members.ts';

describe('members of an enclave', () => {
  it.each(['ada@example.com', 'client:ci', 'client:CI_1.x~y', 'a+b@sub.example.com'])('%s may be one', (name) => {
    expect(isMemberName(canonicalMember(name))).toBe(true);
  });

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'a@b,c@d',
    'a@b c',
    'client:',
    'client:a b',
    'client:a,b',
    'mi\u200ba@example.com',
    'a@b\n',
  ])('%j may not', (name) => {
    expect(isMemberName(name)).toBe(false);
  });

  it('an address is the same in any case, a client is not', () => {
    expect(canonicalMember(' Ada@Example.COM ')).toBe('ada@example.com');
    expect(canonicalMember('client:CI')).toBe('client:CI');
    // Harm: who names the client CI gives the rights to another, whose id is ci.
    expect(canonicalMember('Client:CI')).toBe('client:CI');
  });

  it('what is written is read again, each once and sorted; no name can become two', () => {
    const name = fc.oneof(fc.emailAddress(), fc.stringMatching(/^client:[-A-Za-z0-9._~]{1,20}$/)).map(canonicalMember);
    fc.assert(
      fc.property(fc.array(name.filter(isMemberName), { maxLength: 30 }), (names) => {
        expect(parseMembers(formatMembers(names))).toEqual([...new Set(names)].sort());
      }),
    );
  });
});
