import { createHmac, generateKeyPairSync } from 'node:crypto';
import { exportJWK, exportSPKI, importJWK, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticate } from '../../../server/auth/authenticator.ts';
import { createOidcAuthenticator, type OidcAuthenticator, type OidcOptions } from '../../../server/auth/oidc.ts';
import {
  type Algorithm,
  audience,
  type FakeIssuer,
  startFakeIssuer,
  type TestClaims,
} from '../../support/fake-issuer.ts';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);

describe('tokens of the configured issuer', () => {
  let issuer: FakeIssuer;
  let opened: OidcAuthenticator[];
  beforeEach(async () => {
    opened = [];
    issuer = await startFakeIssuer();
  });
  afterEach(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await issuer.stop();
  });

  function open(options: Partial<OidcOptions> = {}): OidcAuthenticator {
    const made = createOidcAuthenticator({ issuer: issuer.issuer, audience, allowedClients: [], ...options });
    opened.push(made);
    return made;
  }
  const judge = (token: string, options?: Partial<OidcOptions>) => authenticate([open(options)], token);
  const judgeClaims = async (claims: TestClaims, options?: Partial<OidcOptions>) =>
    judge(await issuer.token(claims), options);

  it('let in the person that they name', async () => {
    const claims = { email: 'Ada@Example.com', email_verified: true, name: 'Ada Lovelace', scope: 'openid email' };
    expect(await judgeClaims(claims)).toEqual({
      kind: 'accepted',
      principal: {
        kind: 'oidc',
        name: 'ada@example.com',
        sub: 'sub-ada',
        email: 'ada@example.com',
        emailUnverified: false,
        displayName: 'Ada Lovelace',
        client: 'tentacular-mcp',
        service: false,
        provider: 'keycloak',
      },
      scopes: ['openid', 'email'],
    });
  });

  it.each<Algorithm>(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed with %s are taken', async (algorithm) => {
    await issuer.addKey(algorithm);
    expect(await judgeClaims({})).toMatchObject({ kind: 'accepted' });
  });

  it.each<[string, TestClaims, RegExp]>([
    ['another issuer', { iss: 'https://evil.example.com/realms/tentacular' }, /configured issuer/],
    ['no issuer', { iss: undefined }, /configured issuer/],
    ['no audience', { aud: undefined }, /\(aud\)/],
    ['another audience', { aud: 'https://other.example.com/mcp' }, /\(aud\)/],
    ['the audience that Keycloak gives everybody', { aud: 'account' }, /\(aud\)/],
    ['an audience that only begins like ours', { aud: `${audience}/x` }, /\(aud\)/],
    ['no expiry', { exp: undefined }, /when it expires/],
    ['an expiry 31 seconds ago', { exp: seconds() - 31 }, /expired/],
    ['a start in more than 30 seconds', { nbf: seconds() + 3600 }, /not valid yet/],
    ['the type of an ID token', { typ: 'ID' }, /no access token/],
    ['the type of a refresh token', { typ: 'Refresh' }, /no access token/],
    ['the type of an offline token', { typ: 'Offline' }, /no access token/],
    ['what a logout token of any issuer says', { typ: undefined, events: {} }, /no access token/],
    ['a key that the holder must prove', { cnf: { jkt: 'x' } }, /bound to a key/],
    ['no subject', { sub: undefined }, /no subject/],
    ['a subject with a line break', { sub: 'a\nb' }, /no subject/],
    ['a client that is no text', { azp: 7 }, /client/],
  ])('with %s are refused', async (_what, claims, reason) => {
    expect(await judgeClaims(claims)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(reason) });
  });

  // Signed by the same key for the same audience, where the audience is the client: only their type tells them apart.
  it.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/logout+jwt', 'x', ''])(
    'with the type %j in the header are refused',
    async (typ) => {
      const token = await issuer.token({ typ: undefined }, { header: { typ } });
      expect(await judge(token)).toEqual({ kind: 'refused', reason: 'is no access token' });
    },
  );

  it.each(['at+jwt', 'application/at+jwt', 'JWT', undefined])(
    'with the type %j in the header are taken',
    async (typ) => {
      expect(await judge(await issuer.token({}, { header: { typ } }))).toMatchObject({ kind: 'accepted' });
    },
  );

  // Whoever names such a key would have the server fail with each request, log it, and never be slowed down.
  it.each<[string, JWK]>([
    ['too short', { ...generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' }) }],
    ['none', { kty: 'RSA', n: '!', e: 'AQAB' }],
    ['not on its curve', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
  ])('with a key of the issuer that is %s are refused, and others are not', async (_what, jwk) => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    const alg = jwk.kty === 'EC' ? 'ES256' : 'RS256';
    issuer.keys = [key, { ...key, kid: 'bad', publicJwk: { ...jwk, alg, kid: 'bad', use: 'sig' } as JWK }];
    const claims = { iss: issuer.issuer, aud: audience, sub: 'root', exp: seconds() + 60 };
    const forged = `${encode({ alg, kid: 'bad' })}.${encode(claims)}.${'A'.repeat(86)}`;
    expect(await judge(forged)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/cannot be used/) });
    expect(await judgeClaims({})).toMatchObject({ kind: 'accepted' });
  });

  // RFC 7515, 4.1.4: the id of the key is optional. With a second key published nobody could log in any more.
  it('that name no key are verified by each that could have signed them, and refused where none has', async () => {
    const [first] = issuer.keys;
    await issuer.addKey();
    const rsa = await issuer.addKey('RS256');
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const good = issuer.keys;
    issuer.keys = [{ ...rsa, publicJwk: { ...short, kid: 'short', alg: 'RS256' } as JWK }, ...good];
    const unnamed = { header: { kid: undefined } };
    for (const key of good) {
      expect(await judge(await issuer.token({}, { ...unnamed, key }))).toMatchObject({ kind: 'accepted' });
    }
    const expired = await issuer.token({ exp: 1 }, { ...unnamed, ...(first ? { key: first } : {}) });
    expect(await judge(expired)).toMatchObject({ kind: 'refused', reason: 'has expired', wasGood: true });
    const foreign = await startFakeIssuer();
    const forged = await foreign.token({ iss: issuer.issuer }, unnamed);
    await foreign.stop();
    expect(await judge(forged)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/signature/) });
  });

  it('with a private key among the published ones are not told that they are at fault', async () => {
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    issuer.keys = [{ ...key, publicJwk: { ...(await exportJWK(key.privateKey)), kid: key.kid, alg: key.algorithm } }];
    expect(await judgeClaims({})).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/cannot be used/) });
  });

  it('an issuer that differs by a slash at its end is another one', async () => {
    expect(await judgeClaims({ iss: `${issuer.issuer}/` })).toMatchObject({ kind: 'refused' });
  });

  it('clocks may be 30 seconds apart, in both directions', async () => {
    const now = seconds();
    const options = { clock: () => new Date(now * 1000) };
    for (const claims of [{ exp: now - 29 }, { nbf: now + 30 }]) {
      expect(await judgeClaims(claims, options)).toMatchObject({ kind: 'accepted' });
    }
    expect(await judgeClaims({ exp: now - 30 }, options)).toMatchObject({ reason: 'has expired' });
    expect(await judgeClaims({ nbf: now + 31 }, options)).toMatchObject({ reason: 'is not valid yet' });
  });

  it('an allow-list lets only its clients in, by azp; without azp nobody', async () => {
    const options = { allowedClients: ['ci', 'tentacular-mcp'] };
    expect(await judgeClaims({}, options)).toMatchObject({ kind: 'accepted' });
    for (const azp of ['other', 'CI', undefined]) {
      expect(await judgeClaims({ azp }, options)).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/client/),
      });
    }
  });

  it('a changed payload, a foreign key and a cut signature are refused', async () => {
    const token = await issuer.token();
    const [header, , signature] = token.split('.');
    const stolen = `${header}.${encode({ iss: issuer.issuer, aud: audience, sub: 'root', exp: seconds() + 60 })}.${signature}`;
    expect(await judge(stolen)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/signature/) });
    expect(await judge(token.slice(0, -4))).toMatchObject({ kind: 'refused' });
    const foreign = await startFakeIssuer();
    const forged = await foreign.token({ iss: issuer.issuer });
    await foreign.stop();
    expect(await judge(forged)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/signature/) });
  });

  it('never none, and never an HMAC whose secret is the public key', async () => {
    const claims = { iss: issuer.issuer, aud: audience, sub: 'root', exp: seconds() + 60 };
    const [key] = issuer.keys;
    if (!key) throw new Error('no key');
    for (const alg of ['none', 'None', 'NONE']) {
      expect(await judge(`${encode({ alg })}.${encode(claims)}.`)).toMatchObject({ kind: 'refused' });
    }
    const imported = await importJWK({ ...key.publicJwk, ext: true }, key.algorithm, { extractable: true });
    if (imported instanceof Uint8Array) throw new Error('no public key');
    for (const secret of [await exportSPKI(imported), JSON.stringify(key.publicJwk)]) {
      const signed = `${encode({ alg: 'HS256', kid: key.kid })}.${encode(claims)}`;
      const forged = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
      expect(await judge(forged)).toMatchObject({
        kind: 'refused',
        reason: expect.stringMatching(/not signed with one of/),
      });
    }
  });

  it('a key that the token itself brings along, or points to, is never used', async () => {
    const foreign = await startFakeIssuer();
    const [key] = foreign.keys;
    if (!key) throw new Error('no key');
    const header = { kid: issuer.keys[0]?.kid, jwk: key.publicJwk, jku: foreign.keysUrl };
    const forged = await foreign.token({ iss: issuer.issuer }, { header });
    expect(await judge(forged)).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/signature/) });
    expect(foreign.requests).toEqual({});
    await foreign.stop();
  });

  it('a credential of 16 KiB and more is refused unseen, what is no JWT is for somebody else to judge', async () => {
    expect(await judgeClaims({ pad: 'x'.repeat(16_384) })).toEqual({ kind: 'refused', reason: 'is too long' });
    for (const other of ['x'.repeat(64), 'a.b', 'a.b.c', `${encode({})}.${encode([])}.x`]) {
      expect(await open().judge(other)).toEqual({ kind: 'unknown' });
    }
    expect(issuer.requests).toEqual({});
  });

  it('no refusal holds anything of the token', async () => {
    for (const claims of [{ aud: 'canary' }, { typ: 'canary' }, { azp: 'canary\n' }, { iss: 'canary' }]) {
      expect(JSON.stringify(await judgeClaims(claims, { allowedClients: ['a'] }))).not.toContain('canary');
    }
  });
});
