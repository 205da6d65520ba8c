import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOidcAuthenticator, type OidcAuthenticator } from '../../../server/auth/oidc.ts';
import { type FakeApiServer, startFakeApiServer } from '../../support/fake-api-server.ts';
import { audience, type FakeIssuer, startFakeIssuer } from '../../support/fake-issuer.ts';
import { connect } from '../../support/mcp.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Harness, startHarness, token as staticToken } from '../support/harness.ts';

/** A network between the server and somebody: hands everything on, and keeps all that was sent. */
interface Wire {
  readonly url: string;
  readonly sent: string[];
  readonly server: Server;
}

async function wireTo(upstream: string): Promise<Wire> {
  const sent: string[] = [];
  const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming) body += String(chunk);
    const { method = 'GET', url = '/', headers } = incoming;
    sent.push(`${method} ${url}\n${JSON.stringify(headers)}\n${body}`);
    const { host: _host, connection: _connection, 'content-length': _length, ...rest } = headers;
    const answer = await request(`${upstream}${url}`, {
      method: method as 'GET',
      headers: { ...rest, 'accept-encoding': 'identity' },
      ...(body === '' ? {} : { body }),
    });
    response.writeHead(answer.statusCode, { 'content-type': 'application/json' });
    response.end(await answer.body.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent, server };
}

// The harm: whoever runs an engine, an API server's audit webhook or an issuer could act as the caller elsewhere.
describe('the token of a caller', () => {
  let issuer: FakeIssuer;
  let api: FakeApiServer;
  let wires: { readonly api: Wire; readonly engine: Wire; readonly issuer: Wire };
  let oidc: OidcAuthenticator;
  let harness: Harness;
  beforeAll(async () => {
    issuer = await startFakeIssuer();
    api = await startFakeApiServer();
    const engine = createServer((_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
    engine.unref();
    const { port } = engine.address() as AddressInfo;
    wires = {
      api: await wireTo(api.url),
      engine: await wireTo(`http://127.0.0.1:${port}`),
      issuer: await wireTo(new URL(issuer.issuer).origin),
    };
    oidc = createOidcAuthenticator({
      issuer: issuer.issuer,
      jwksUrl: `${wires.issuer.url}${new URL(issuer.keysUrl).pathname}`,
      audience,
      allowedClients: [],
    });
    harness = await startHarness({
      connection: { kind: 'direct', server: wires.api.url },
      engineRoute: { kind: 'origin', originOf: () => wires.engine.url },
      authentication: () => ({ authenticator: oidc }),
    });
  });
  afterAll(async () => {
    await harness.close();
    await oidc.close();
    for (const { server } of Object.values(wires)) {
      server.close();
      server.closeAllConnections();
    }
    await api.close();
    await issuer.stop();
  });

  it.each(['of the issuer', 'that is static'])('%s goes no further than this server', async (kind) => {
    const claims = { email: 'ada@example.com', email_verified: true };
    const token = kind === 'that is static' ? staticToken : await issuer.token(claims);
    const enclave = kind === 'that is static' ? 'passed' : 'told';
    const caller = await connect('2026-07-28', harness.endpoint, token);
    await caller.ok('enclave_provision', { name: enclave, owner_email: 'ada@example.com' });
    await caller.ok('wf_apply', { enclave, ...helloWorkflow('hello') });
    await caller.ok('wf_status', { enclave, name: 'hello' });
    const engineBefore = wires.engine.sent.length;
    await caller.call('wf_run', { enclave, name: 'hello', input: { name: 'Ada' } });
    await caller.close();

    expect(wires.api.sent.length).toBeGreaterThan(10);
    expect(wires.engine.sent.length).toBeGreaterThan(engineBefore);
    if (kind === 'of the issuer') expect(wires.issuer.sent.length).toBeGreaterThan(0);
    // Headers are seen here: what does go on is who called, by name.
    const name = kind === 'that is static' ? 'caller=token:bearer-token' : 'caller=oidc:ada@example.com';
    expect(wires.api.sent.some((text) => text.includes(name))).toBe(true);
    expect(wires.engine.sent.every((text) => text.includes('x-tentacular-trigger'))).toBe(true);
    const all = Object.values(wires).flatMap(({ sent }) => sent);
    // Any part of it: a signature alone identifies a token.
    for (const part of token.split('.')) expect(all.filter((text) => text.includes(part))).toEqual([]);
    expect(all.filter((text) => /bearer|"authorization"/i.test(text.replaceAll('bearer-token', '')))).toEqual([]);
  });
});
