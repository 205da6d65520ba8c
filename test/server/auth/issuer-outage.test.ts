import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOidcAuthenticator, type OidcAuthenticator, type OidcOptions } from '../../../server/auth/oidc.ts';
import { eventually } from '../../support/eventually.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';

const goodDocument = (issuer: string) => JSON.stringify({ issuer, jwks_uri: `${issuer}/certs` });

describe('the keys of the issuer', () => {
  let issuer: FakeIssuer;
  let clock: number;
  let faults: string[];
  let opened: OidcAuthenticator[];
  beforeEach(async () => {
    clock = 0;
    faults = [];
    opened = [];
    issuer = await startFakeIssuer();
  });
  afterEach(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await issuer.stop();
  });

  function open(options: Partial<OidcOptions> = {}): OidcAuthenticator {
    const made = createOidcAuthenticator({
      issuer: issuer.issuer,
      audience,
      allowedClients: [],
      now: () => clock,
      onFault: (fault) => faults.push(fault),
      // None waits for it where the issuer answers or is not there; a busy machine is no outage.
      timeoutMs: 15_000,
      ...options,
    });
    opened.push(made);
    return made;
  }
  const kindOf = async (authenticator: OidcAuthenticator, token: string) => (await authenticator.judge(token)).kind;

  it('are fetched once for many callers, and not for each', async () => {
    const authenticator = open();
    const token = await issuer.token();
    const kinds = await Promise.all(Array.from({ length: 50 }, () => kindOf(authenticator, token)));
    expect(new Set(kinds)).toEqual(new Set(['accepted']));
    expect(issuer.requests).toEqual({ '/.well-known/openid-configuration': 1, '/certs': 1 });
  });

  it('are kept while the issuer is away, for hours', async () => {
    const authenticator = open({ refreshMs: 20, retryMs: 20 });
    authenticator.start();
    const token = await issuer.token();
    expect(await kindOf(authenticator, token)).toBe('accepted');
    await issuer.stop();
    await eventually('the outage is noticed', async () => faults.length > 0);
    clock += 6 * 3_600_000;
    expect(await kindOf(authenticator, token)).toBe('accepted');
    // Told once, not at each retry.
    expect(faults).toHaveLength(1);
    await issuer.resume();
  });

  it('of a rotation are found at the first token, and old tokens stay valid while the old key is published', async () => {
    const authenticator = open();
    const before = await issuer.token();
    expect(await kindOf(authenticator, before)).toBe('accepted');
    await issuer.addKey('RS256');
    const after = await issuer.token();
    const kinds = await Promise.all(Array.from({ length: 20 }, () => kindOf(authenticator, after)));
    expect(new Set(kinds)).toEqual(new Set(['accepted']));
    expect(await kindOf(authenticator, before)).toBe('accepted');
    expect(issuer.requests['/certs']).toBe(2);
  });

  it('that were withdrawn are forgotten at the next refresh, without any caller', async () => {
    const authenticator = open({ refreshMs: 20 });
    authenticator.start();
    const withdrawn = await issuer.token();
    expect(await kindOf(authenticator, withdrawn)).toBe('accepted');
    await issuer.addKey();
    issuer.keys = issuer.keys.slice(0, 1);
    await eventually('it is refused', async () => (await kindOf(authenticator, withdrawn)) === 'refused');
  });

  it('that nobody knows are asked for once in 30 seconds, whatever is sent', async () => {
    const authenticator = open();
    await kindOf(authenticator, await issuer.token());
    const unknown = await Promise.all(['a', 'b', 'c'].map((kid) => issuer.token({}, { header: { kid } })));
    for (const token of unknown) expect(await kindOf(authenticator, token)).toBe('refused');
    expect(issuer.requests['/certs']).toBe(2);
    clock += 29_000;
    for (const token of unknown) expect(await kindOf(authenticator, token)).toBe('refused');
    expect(issuer.requests['/certs']).toBe(2);
    clock += 1000;
    for (const token of unknown) expect(await kindOf(authenticator, token)).toBe('refused');
    expect(issuer.requests['/certs']).toBe(3);
  });

  it('may be new while the issuer is away: such a token is neither accepted nor refused', async () => {
    const authenticator = open();
    await kindOf(authenticator, await issuer.token());
    await issuer.addKey();
    const rotated = await issuer.token();
    await issuer.stop();
    expect(await authenticator.judge(rotated)).toEqual({ kind: 'unavailable', retryAfterSeconds: 5 });
    await issuer.resume();
    clock += 30_000;
    expect(await kindOf(authenticator, rotated)).toBe('accepted');
  });

  // The harm: told to come back in seconds, a caller was sent away for half a minute after the issuer was there again.
  it('are fetched again soon after an attempt that failed, whoever made it', async () => {
    const authenticator = open({ retryMs: 20 });
    authenticator.start();
    expect(await kindOf(authenticator, await issuer.token())).toBe('accepted');
    await issuer.addKey();
    const rotated = await issuer.token();
    await issuer.stop();
    expect(await kindOf(authenticator, rotated)).toBe('unavailable');
    await issuer.resume();
    await eventually('it is found', async () => (await kindOf(authenticator, rotated)) === 'accepted', {
      timeoutMs: 30_000,
      intervalMs: 20,
    });
  });

  it('that were never fetched make callers wait, by a bounded number of attempts; nothing needs a restart', async () => {
    const token = await issuer.token();
    await issuer.stop();
    const authenticator = open();
    expect(await authenticator.judge(token)).toEqual({ kind: 'unavailable', retryAfterSeconds: 5 });
    await issuer.resume();
    expect(await authenticator.judge(token)).toEqual({ kind: 'unavailable', retryAfterSeconds: 5 });
    expect(issuer.requests).toEqual({});
    clock += 5000;
    expect(await kindOf(authenticator, token)).toBe('accepted');
  });

  it('come from jwksUrl where one is set, while iss is still the public issuer', async () => {
    const authenticator = open({ issuer: 'https://id.example.com/realms/tentacular', jwksUrl: issuer.keysUrl });
    const inside = await issuer.token({ iss: 'https://id.example.com/realms/tentacular' });
    expect(await kindOf(authenticator, inside)).toBe('accepted');
    expect(await kindOf(authenticator, await issuer.token())).toBe('refused');
    expect(issuer.requests).toEqual({ '/certs': 1 });
  });

  it.each<[string, (place: string) => { status?: number; headers?: Record<string, string>; body?: string }]>([
    // Both would be good documents; following them would go on to the keys, which the last line below sees.
    ['a redirect', (url) => ({ status: 302, headers: { location: `${url}/moved` }, body: goodDocument(url) })],
    ['an answer of more than 256 KiB', (url) => ({ body: goodDocument(url) + ' '.repeat(300_000) })],
    ['an error', () => ({ status: 500 })],
    ['something that is not JSON', () => ({ body: '<html>' })],
    ['a document of another issuer', () => ({ body: '{"issuer":"https://evil.example.com","jwks_uri":"http://x/"}' })],
    [
      'a file for keys',
      (issuerUrl) => ({ body: JSON.stringify({ issuer: issuerUrl, jwks_uri: 'file:///etc/passwd' }) }),
    ],
  ])('are not taken from %s', async (_what, answer) => {
    issuer.answer = (_request, response) => {
      const { status = 200, headers = {}, body = '' } = answer(issuer.issuer);
      response.writeHead(status, headers);
      response.end(body);
    };
    const authenticator = open();
    expect(await kindOf(authenticator, await issuer.token())).toBe('unavailable');
    expect(faults).toHaveLength(1);
    expect(issuer.requests).toEqual({ '/.well-known/openid-configuration': 1 });
  });

  it.each<[string, string]>([
    ['an empty set', '{"keys":[]}'],
    ['no set', '{"kid":"a"}'],
    ['too many', JSON.stringify({ keys: Array.from({ length: 101 }, () => ({ kty: 'EC' })) })],
    ['what is no key', '{"keys":[7]}'],
  ])('stay as they are when the issuer publishes %s', async (_what, body) => {
    const authenticator = open({ jwksUrl: issuer.keysUrl });
    const token = await issuer.token();
    expect(await kindOf(authenticator, token)).toBe('accepted');
    issuer.answer = (_request, response) => response.end(body);
    expect(await kindOf(authenticator, await issuer.token({}, { header: { kid: 'x' } }))).toBe('unavailable');
    expect(faults).toHaveLength(1);
    expect(await kindOf(authenticator, token)).toBe('accepted');
  });

  it('of an issuer that accepts the connection and then says nothing make nobody wait for long', async () => {
    issuer.answer = () => undefined;
    const authenticator = open({ timeoutMs: 200 });
    const startedAt = performance.now();
    expect(await kindOf(authenticator, await issuer.token())).toBe('unavailable');
    // Less than the default, 3 s.
    expect(performance.now() - startedAt).toBeLessThan(2900);
  });
});

describe('an issuer with a private certificate authority', () => {
  it.each([
    ['no certificate', 'junk', /holds no certificate/],
    ['a damaged one', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----', /no certificate, as number 1/],
  ])('is not taken from %s: TLS would pass over it in silence', (_what, ca, fault) => {
    const options = { issuer: 'https://id.example.com', audience, allowedClients: [], ca };
    expect(() => createOidcAuthenticator(options)).toThrow(fault);
  });

  it('is believed with caBundle, and not without it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tentacular-ca-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert, ...subject], { stdio: 'pipe' });
    const ca = readFileSync(cert, 'utf8');
    const signer = await startFakeIssuer();
    const keys = JSON.stringify({ keys: signer.keys.map(({ publicJwk }) => publicJwk) });
    const server = createServer({ key: readFileSync(key), cert: ca }, (_request, response) => response.end(keys));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const jwksUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}/certs`;
    const options = { issuer: signer.issuer, audience, allowedClients: [], jwksUrl };
    const [without, trusting] = [createOidcAuthenticator(options), createOidcAuthenticator({ ...options, ca })];
    try {
      const token = await signer.token();
      expect(await without.judge(token)).toMatchObject({ kind: 'unavailable' });
      expect(await trusting.judge(token)).toMatchObject({ kind: 'accepted' });
    } finally {
      await Promise.all([without.close(), trusting.close(), signer.stop()]);
      server.close();
      server.closeAllConnections();
      rmSync(folder, { recursive: true });
    }
  });
});
