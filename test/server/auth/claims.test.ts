import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseMembers } from '../../../constructs/model/members.ts';
import { identityOf } from '../../../server/auth/claims.ts';

const rules = { issuer: 'https://id.example.com/realms/tentacular', allowedClients: [] };
const person = { sub: 'sub-ada', azp: 'tentacular-mcp', sid: 'session', typ: 'Bearer' };

function principalOf(claims: JWTPayload, issuer = rules.issuer) {
  const identity = identityOf(claims, { ...rules, issuer });
  if ('reason' in identity) throw new Error(identity.reason);
  return identity.principal;
}

describe('who a token speaks of', () => {
  it.each<[string, unknown]>([
    ['false', false],
    ['absent', undefined],
    ['the text "true"', 'true'],
    ['1', 1],
  ])('an e-mail whose email_verified is %s counts for nothing', (_what, verified) => {
    const principal = principalOf({ ...person, email: 'boss@example.com', email_verified: verified });
    expect(principal).toMatchObject({ name: 'sub-ada', emailUnverified: true });
    expect(principal.email).toBeUndefined();
    expect(JSON.stringify(principal)).not.toContain('boss');
  });

  it.each(['client:ci@example.com', 'a b@example.com', 'a@b@c', 'ada', 'ada@example.com\nx', '<ada@example.com>', ''])(
    'an e-mail %j is none: it could pass for something else',
    (email) => {
      const principal = principalOf({ ...person, email, email_verified: true });
      expect(principal).toMatchObject({ name: 'sub-ada', emailUnverified: false });
      expect(principal.email).toBeUndefined();
    },
  );

  // A Kelvin sign becomes a "k", a dotted capital I an "i": the address would be that of somebody else.
  it.each(['\u212aate@example.com', 'bob@\u212aorp.example', '\u0130da@example.com', 'a\u037eb@example.com'])(
    'an e-mail %j is none: in lower case it would be that of somebody else',
    (email) => {
      expect(principalOf({ ...person, email, email_verified: true }).email).toBeUndefined();
    },
  );

  it('an e-mail is the same in any case and however its letters are composed, for the issuer and for members', () => {
    for (const email of ['Jos\u00e9@example.com', 'jose\u0301@EXAMPLE.com']) {
      const principal = principalOf({ ...person, email, email_verified: true });
      expect(principal.email).toBe('jos\u00e9@example.com');
      expect(parseMembers(email)).toEqual([principal.email]);
    }
  });

  it('a client-credentials token stands for its client, in Keycloak and by RFC 9068', () => {
    const keycloak = { sub: 'uuid', azp: 'ci', client_id: 'ci', preferred_username: 'service-account-ci' };
    const rfc9068 = { sub: 'ci', client_id: 'ci' };
    for (const claims of [keycloak, rfc9068]) {
      expect(principalOf(claims)).toMatchObject({ name: 'client:ci', client: 'ci', service: true });
    }
  });

  it.each<[string, JWTPayload]>([
    ['a name that looks like one', { ...person, preferred_username: 'service-account-tentacular-mcp' }],
    [
      'a name that looks like one, in a session',
      { ...person, client_id: 'tentacular-mcp', preferred_username: 'service-account-tentacular-mcp' },
    ],
    ['such a name and no session', { sub: 'u', azp: 'a', preferred_username: 'service-account-a' }],
    ['the sub of a client, but no client_id', { sub: 'ci', azp: 'ci' }],
    ['a client_id of another client', { sub: 'x', azp: 'a', client_id: 'x' }],
    ['a client_id as every token of some issuers has it', { ...person, client_id: 'tentacular-mcp' }],
  ])('a person with %s is no client', (_what, claims) => {
    expect(principalOf(claims)).toMatchObject({ service: false, name: claims.sub });
  });

  it('a service has no e-mail, verified or not', () => {
    const principal = principalOf({ sub: 'ci', client_id: 'ci', email: 'a@example.com', email_verified: true });
    expect(principal.email).toBeUndefined();
  });

  it('the name for display is cleaned and cut', () => {
    expect(principalOf({ ...person, name: `A\u202Ed\u0000a${'x'.repeat(500)}` }).displayName).toMatch(/^Adax{120,}$/);
    // Half a character would come back from the API server as another one, and look like a change for ever.
    for (const name of [`${'x'.repeat(127)}\u{1f600}`, `${'x'.repeat(127)}\ud83d`]) {
      expect(principalOf({ ...person, name }).displayName).toBe('x'.repeat(127));
    }
    expect(principalOf({ ...person, preferred_username: 'ada' }).displayName).toBe('ada');
    expect(principalOf(person).displayName).toBeUndefined();
  });

  it('the provider is keycloak only where the issuer is a realm', () => {
    expect(principalOf(person).provider).toBe('keycloak');
    expect(principalOf(person, 'https://login.example.com/').provider).toBe('oidc');
  });

  // RFC 8693 has `scope`; Okta sends `scp` as an array, Entra as a string.
  it.each<[string, JWTPayload, string[]]>([
    ['scope', { scope: 'openid  tentacles:write' }, ['openid', 'tentacles:write']],
    ['scp as a string', { scp: 'openid tentacles:write' }, ['openid', 'tentacles:write']],
    ['scp as an array', { scp: ['openid', 'tentacles:write'] }, ['openid', 'tentacles:write']],
    ['scp beside a scope that is no text', { scope: ['a'], scp: ['b'] }, ['b']],
    ['scope alone where both are there', { scope: 'openid', scp: ['tentacles:destroy'] }, ['openid']],
    ['scope alone, also where it is empty', { scope: '', scp: ['tentacles:destroy'] }, []],
    ['nothing at all', {}, []],
  ])('what a token may do is in %s', (_what, claims, scopes) => {
    expect(identityOf({ ...person, ...claims }, rules)).toMatchObject({ scopes });
  });

  it.each<[string, unknown, string[]]>([
    ['what is no text', [7, null, true, ['a'], { toString: 'b' }, 'c'], ['c']],
    ['what is several at once', ['a b', 'a\tb', 'c'], ['c']],
    ['what is no scope', ['', ' ', 'a"b', 'a\\b', 'a\u0000', '\u00e9', 'c'], ['c']],
    ['what is longer than any scope', ['a'.repeat(257), 'c'], ['c']],
    ['what comes after the 200th', [...Array<string>(200).fill('a'), 'c'], Array<string>(200).fill('a')],
    ['an object in the place of an array', { 0: 'a', length: 1 }, []],
    ['a number in the place of an array', 1, []],
  ])('of scp counts for nothing: %s', (_what, scp, scopes) => {
    expect(identityOf({ ...person, scp }, rules)).toMatchObject({ scopes });
  });
});
