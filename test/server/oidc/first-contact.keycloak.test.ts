import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auth, discoverOAuthServerInfo } from '@modelcontextprotocol/client';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { updating } from '../../snapshots/golden.ts';
import { projectRoot } from '../../support/source-files.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { createRecorder } from './exchanges.ts';
import { claudeCode, clientMemory, generations, introduce } from './official-client.ts';
import { keycloak, newPerson, type OidcPlace, startPlace } from './place.ts';
import { markdownOf } from './transcript.ts';

const story = join(projectRoot, 'docs/first-contact.md');
const call = ['wf_render', { enclave: 'team-a', ...helloWorkflow('hello') }] as const;

describe('the official MCP client, which knows the URL of the server and nothing else', () => {
  let place: OidcPlace;
  /** Hours that the server's clock is ahead. */
  let ahead = 0;
  beforeAll(async () => {
    place = await startPlace({ clock: () => new Date(Date.now() + ahead * 3_600_000) });
  });
  afterAll(() => place.close());

  it('comes from the first 401 to a result and to a new token, exactly as docs/first-contact.md tells it', async () => {
    const person = await newPerson('ada');
    const memory = clientMemory({ clientMetadataUrl: claudeCode });
    const { entries, watched, chapter, show } = createRecorder();
    const fetchUntilRefreshed: typeof fetch = async (input, init) => {
      const response = await watched(input, init);
      if (new URL(input instanceof Request ? input.url : input).pathname.endsWith('/token')) ahead = 0;
      return response;
    };

    chapter(
      'Who is calling?',
      'The client opens a connection. The server wants to know who is there, and says where it is written how to prove that: at the address in `resource_metadata`.',
    );
    const first = generations['SDK 2'](place.harness.endpoint, memory, fetchUntilRefreshed);
    await expect(first.connected).rejects.toThrow(/[Uu]nauthorized/);
    chapter(
      'The browser opens',
      "Keycloak's metadata says that a client may present the address of its metadata document as its id, and the client does. It asks for the scopes of the 401, and for `offline_access` since Keycloak lists it.",
    );
    show('The client sends the browser to', memory.sentTo());
    const { url, asked } = await person.visit(memory.sentTo());
    show(`Ada fills in two pages of Keycloak, "${asked.join('" and "')}", and is sent back to`, url);
    expect(asked).toHaveLength(2);

    chapter('A token', 'The client compares `state` and `iss`, and exchanges the code.');
    await first.finish(url);
    show(
      'Inside of the access token: it is for this server (`aud`), and came through this client (`azp`).',
      decodeJwt(memory.accessToken()),
    );
    chapter('A call', 'The client connects again, and calls a tool.');
    const second = generations['SDK 2'](place.harness.endpoint, memory, fetchUntilRefreshed);
    await second.connected;
    place.harness.audit.length = 0;
    expect(await second.callTool(...call)).not.toHaveProperty('isError', true);
    const record = { principal: person.email, principal_kind: 'oidc', tool: 'wf_render', outcome: 'ok' };
    expect(place.harness.audit).toMatchObject([record]);

    chapter(
      'Thirteen hours later',
      'The access token has run out. The client gets a new one, repeats the call, and nobody is asked.',
    );
    ahead = 13;
    expect(await second.callTool(...call)).not.toHaveProperty('isError', true);
    await second.close();

    const told = markdownOf(await entries(), [
      [place.harness.url, 'https://mcp.example.com'],
      [keycloak.url, 'https://keycloak.example.com'],
      [person.username, 'ada'],
    ]);
    const page = `${preface}\n${told}`;
    if (updating) writeFileSync(story, page);
    expect(page, 'UPDATE_SNAPSHOTS=1 and this test write docs/first-contact.md anew').toBe(readFileSync(story, 'utf8'));
    expect(page).not.toMatch(/eyJ|127\.0\.0\.1:(?!53682)/);
  });

  it.each(['SDK 2', 'SDK 1'] as const)('%s comes from the first 401 to a result', async (generation) => {
    const memory = clientMemory({ clientMetadataUrl: claudeCode });
    await introduce(generation, place.harness.endpoint, { memory, visit: (await newPerson('first')).visit });
    const client = generations[generation](place.harness.endpoint, memory);
    await client.connected;
    expect(await client.callTool(...call)).not.toHaveProperty('isError', true);
    await client.close();
  });

  it('may ask for every scope that discovery lists, and no invalid_scope comes of it', async () => {
    const person = await newPerson('greedy');
    const memory = clientMemory({ clientMetadataUrl: claudeCode });
    const serverUrl = place.harness.endpoint;
    const { authorizationServerMetadata } = await discoverOAuthServerInfo(serverUrl);
    const listed = authorizationServerMetadata?.scopes_supported ?? [];
    expect(listed).toEqual(expect.arrayContaining(['openid', 'offline_access', 'phone', 'microprofile-jwt']));
    expect(await auth(memory, { serverUrl, scope: listed.join(' ') })).toBe('REDIRECT');
    expect(memory.sentTo().searchParams.get('scope')?.split(' ')).toEqual(listed);
    const { url } = await person.visit(memory.sentTo());
    expect(url.searchParams.get('error')).toBeNull();
    const callback = { authorizationCode: url.searchParams.get('code') ?? '', iss: url.searchParams.get('iss') ?? '' };
    expect(await auth(memory, { serverUrl, ...callback })).toBe('AUTHORIZED');
    expect(decodeJwt(memory.accessToken())).toMatchObject({ aud: serverUrl, azp: claudeCode });
    expect(await place.status(memory.accessToken())).toBe(200);
  });
});

const preface = `# First contact
Somebody gave an MCP client \`https://mcp.example.com/mcp\`, and nothing else. This is what went over the wire between the official TypeScript client (which presented itself as Claude Code does), this server and a real Keycloak with the realm that is shipped. \`test/server/oidc/first-contact.keycloak.test.ts\` wrote it and compares it with each run; tokens, codes and times are cut, addresses replaced, long values shortened with "…". Why it works without an id: [ADR 0014](adr/0014-clients-without-an-id.md). What to do where it does not: [authentication](authentication.md).
`;
