import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

interface IssuerKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

/** Claims as a test wants them, sense or nonsense. */
export type TestClaims = Readonly<Record<string, unknown>>;

/** An issuer at the network's edge: discovery, keys, and tokens as it would sign them. */
export interface FakeIssuer {
  readonly issuer: string;
  readonly keysUrl: string;
  /** Requests by path. */
  readonly requests: Record<string, number>;
  /** Answers instead of the documents; undefined: as it should. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined;
  /** Published keys; the first one signs. */
  keys: IssuerKey[];
  addKey(algorithm?: Algorithm): Promise<IssuerKey>;
  /** A good access token for `audience`, with these claims put in its place; undefined takes a claim out. */
  token(
    claims?: TestClaims,
    signing?: { readonly key?: IssuerKey; readonly header?: Record<string, unknown> },
  ): Promise<string>;
  /** Nobody answers until `resume`. */
  stop(): Promise<void>;
  resume(): Promise<void>;
}

export const audience = 'https://mcp.example.com/mcp';

export async function startFakeIssuer(path = '/realms/tentacular'): Promise<FakeIssuer> {
  const server = createServer((request, response) => serve(request, response));
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}${path}`;
  let serial = 0;
  const fake: FakeIssuer = {
    issuer,
    keysUrl: `${issuer}/certs`,
    requests: {},
    answer: undefined,
    keys: [],
    async addKey(algorithm = 'ES256') {
      const key = await newKey(`key-${++serial}`, algorithm);
      fake.keys.unshift(key);
      return key;
    },
    async token(claims = {}, { key = fake.keys[0], header = {} } = {}) {
      if (key === undefined) throw new Error('the issuer has no key');
      const now = Math.floor(Date.now() / 1000);
      const payload = {
        iss: issuer,
        aud: [audience, 'account'],
        sub: 'sub-ada',
        azp: 'tentacular-mcp',
        iat: now,
        exp: now + 300,
        typ: 'Bearer',
        sid: 's',
        ...claims,
      };
      return new SignJWT(payload)
        .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
        .sign(key.privateKey);
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
    resume: () => listen(port),
  };

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const place = (request.url ?? '').slice(path.length);
    fake.requests[place] = (fake.requests[place] ?? 0) + 1;
    if (fake.answer) {
      fake.answer(request, response);
      return;
    }
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: fake.keysUrl },
      '/certs': { keys: fake.keys.map(({ publicJwk }) => publicJwk) },
    };
    response.writeHead(place in documents ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(documents[place] ?? {}));
  }

  await fake.addKey();
  return fake;
}

async function newKey(kid: string, algorithm: Algorithm): Promise<IssuerKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return {
    kid,
    algorithm,
    privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' },
  };
}
