import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientId, issuer, newPerson, type OidcPlace, startPlace } from '../server/oidc/place.ts';
import { freePort } from '../support/free-port.ts';
import { eras } from '../support/mcp.ts';
import { faultsOf } from './judge.ts';
import { runIssuerSuite } from './suite.ts';

/** The issuer is no part of the server, but its realm is shipped: what clients of MCP expect of it, they must find. */
describe.each(eras)('the shipped realm by the conformance suite, protocol %s', (version) => {
  let place: OidcPlace;
  beforeAll(async () => {
    place = await startPlace();
  });
  afterAll(() => place.close());

  it('is an authorization server as the suite expects one, with a login by code and PKCE', async () => {
    const resource = place.harness.endpoint;
    const { visit } = await newPerson('conformance');
    const port = String(await freePort());
    const results = await runIssuerSuite(version, { issuer, clientId, resource, port }, async (start) => {
      const { url, page } = await visit(start);
      if (url.port !== port) throw new Error(`the login ended at ${url.href}: ${page}`);
      await fetch(url).then((response) => response.text());
    });
    expect([...results.keys()].sort()).toEqual(['authorization-code-grant', 'authorization-server-metadata-endpoint']);
    for (const [scenario, checks] of results) expect(faultsOf(scenario, checks, {})).toEqual([]);
  });
});
