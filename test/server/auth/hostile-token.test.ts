import fc from 'fast-check';
import { CompactEncrypt, exportJWK, importJWK, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticate } from '../../../server/auth/authenticator.ts';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';

describe('a token that was made to confuse', () => {
  let issuer: FakeIssuer;
  let oidc: OidcAuthenticator;
  beforeEach(async () => {
    issuer = await startFakeIssuer();
    oidc = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [] });
  });
  afterEach(async () => {
    await oidc.close();
    await issuer.stop();
  });
  const judge = (token: string) => authenticate([oidc], token);
  const claims = () => ({ iss: issuer.issuer, aud: audience, sub: 'root', exp: Math.floor(Date.now() / 1000) + 60 });

  it.each<[string, unknown]>([
    ['a path', '../../../../dev/null'],
    ['a URL', 'http://169.254.169.254/latest'],
    ['SQL', "' OR 1=1 --"],
    ['a name of JavaScript', '__proto__'],
    ['a list', ['key-1']],
    ['an object', { $ne: '' }],
    ['text without end', 'k'.repeat(10_000)],
  ])('by %s as the id of its key finds none, and asks the issuer for nothing but its keys', async (_what, kid) => {
    const [key] = issuer.keys;
    const token = await issuer.token({}, { ...(key ? { key } : {}), header: { kid } });
    expect(await judge(token)).toMatchObject({ kind: 'refused' });
    expect(Object.keys(issuer.requests).sort()).toEqual(['/.well-known/openid-configuration', '/certs']);
    // Other callers are let in meanwhile.
    expect(await judge(await issuer.token())).toMatchObject({ kind: 'accepted' });
  });

  it('by a key of the issuer that is for something else than signatures is refused', async () => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    issuer.keys = [{ ...key, publicJwk: { ...key.publicJwk, use: 'enc' } }];
    expect(await judge(await issuer.token())).toMatchObject({ kind: 'refused' });
  });

  // The harm: one who may add to the key set (a second key, of his own making) would choose the algorithm too.
  it('by another algorithm than its key is for is refused', async () => {
    const key = await issuer.addKey('RS256');
    const privateJwk = await exportJWK(key.privateKey);
    const other = await importJWK({ ...privateJwk, alg: 'PS256' }, 'PS256');
    const token = await new SignJWT(claims()).setProtectedHeader({ alg: 'PS256', kid: key.kid }).sign(other);
    expect(await judge(token)).toMatchObject({ kind: 'refused' });
  });

  it('by a header that must be understood, and is not, is refused', async () => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    const header = { alg: key.algorithm, kid: key.kid, crit: ['exp-policy'], 'exp-policy': 'never' };
    const token = await new SignJWT(claims())
      .setProtectedHeader(header)
      .sign(key.privateKey, { crit: { 'exp-policy': true } });
    expect(await judge(token)).toMatchObject({ kind: 'refused' });
  });

  it('by being encrypted, or a token within a token, is refused', async () => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    const inner = await issuer.token();
    const encrypted = await new CompactEncrypt(Buffer.from(inner))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT' })
      .encrypt(await importJWK(key.publicJwk, 'ECDH-ES'));
    expect(await judge(encrypted)).toMatchObject({ kind: 'refused' });
    const nested = await new SignJWT({ jwt: inner })
      .setProtectedHeader({ alg: key.algorithm, kid: key.kid, cty: 'JWT' })
      .sign(key.privateKey);
    expect(await judge(nested)).toMatchObject({ kind: 'refused' });
  });

  it('by anything at all is refused, and never makes the server fail', async () => {
    const good = splitToken(await issuer.token());
    const part = fc.oneof(
      fc.string(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
      fc.constantFrom(good.header, good.payload, good.signature, ''),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 5 }), async (parts) => {
        const token = parts.join('.');
        if (token === `${good.header}.${good.payload}.${good.signature}`) return;
        expect((await judge(token)).kind).toBe('refused');
      }),
      { numRuns: 500 },
    );
  });
});

function splitToken(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return { header, payload, signature };
}
