import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer, type TestClaims } from '../support/fake-issuer.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { type Home, makeHome, pong } from './home.ts';

/** Clears the line, hides, turns around, and begins a line of its own. */
const steering = '\u001b[2K\r\u009b2J\u202e\u200b\nAll is well';
const steers = /(?!\n)[\p{Cc}\p{Cf}]|^All is well/mu;

describe('what a server answers', () => {
  let home: Home;
  let issuer: FakeIssuer;
  let servers: LoopbackServer[];
  beforeEach(async () => {
    home = makeHome();
    servers = [];
    issuer = await startFakeIssuer();
  });
  afterEach(async () => {
    for (const server of servers) await server.close();
    await issuer.stop();
    home.remove();
  });

  async function serve(answer: RequestListener): Promise<string> {
    const server = await startLoopbackServer(answer);
    servers.push(server);
    return `${server.origin}/mcp`;
  }
  /** `whoami` of somebody who is logged in with these claims. */
  async function whoami(mcp_endpoint: string, claims: TestClaims = {}, ...args: string[]) {
    home.user({ environments: { prod: { mcp_endpoint, oidc_issuer: issuer.issuer } } });
    const place = { endpoint: new URL(mcp_endpoint).origin, issuer: issuer.issuer };
    const tokens = { place, access_token: await issuer.token(claims), expires_at: Date.now() + 3_600_000 };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    writeFileSync(join(home.path, '.tentacular/tokens/prod.json'), JSON.stringify(tokens));
    return home.tntc(['whoami', '--env', 'prod', ...args]);
  }

  it.each([
    [401, 3, 'Run: tntc login --env prod'],
    [403, 4, 'refused: No.'],
    [500, 1, 'refused: No.'],
  ])('steers no terminal with a refusal of status %i, which ends with %i', async (status, code, told) => {
    const endpoint = await serve((_request, response) => {
      response.writeHead(status).end(JSON.stringify({ error_description: `No.${steering}` }));
    });
    const shown = await whoami(endpoint);
    expect(shown.code).toBe(code);
    expect(shown.notes.join('\n')).toMatch(/No\./);
    expect(shown.notes.at(-1)).toContain(told);
    expect(shown.notes.join('\n')).not.toMatch(steers);
  });

  it('steers none with the name in a token, and JSON holds that name as it is', async () => {
    const endpoint = await serve((_request, response) => response.end(pong));
    const name = `Ada${steering}\u{e0041}`;
    for (const format of ['text', 'yaml', 'json']) {
      const { code, out } = await whoami(endpoint, { name }, '-o', format);
      expect(code).toBe(0);
      expect(out).toContain('Ada');
      expect(out).not.toMatch(steers);
    }
    expect(JSON.parse((await whoami(endpoint, { name }, '-o', 'json')).out)).toMatchObject({ name });
  });

  it.each(['not a number', 1e300, -1e300])('a time in a token that is none (%j) is left out', async (exp) => {
    const endpoint = await serve((_request, response) => response.end(pong));
    const { code, out } = await whoami(endpoint, { exp }, '-o', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).not.toHaveProperty('expires_at');
  });

  it.each([
    ['<html>Welcome to nginx!</html>', 200],
    ['{}', 200],
    ['data: {"jsonrpc":', 200],
    ['{"error_description":"There is nothing at this path."}', 404],
    ['404 page not found', 404],
  ])('that is of no MCP server (%s) is no welcome, and where to look is told', async (body, status) => {
    const endpoint = await serve((_request, response) => response.writeHead(status).end(body));
    const { code, out, notes } = await whoami(endpoint);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(notes.at(-1)).toContain('Look at mcp_endpoint, which ends in /mcp.');
  });

  it('is understood as a stream of events too', async () => {
    const endpoint = await serve((_request, response) => response.end(`event: message\ndata: ${pong}\n\n`));
    expect((await whoami(endpoint)).code).toBe(0);
  });

  it('with a redirect takes the token nowhere else', async () => {
    const received: (string | undefined)[] = [];
    const elsewhere = await serve((request, response) => {
      received.push(request.headers.authorization);
      response.end(pong);
    });
    const endpoint = await serve((_request, response) => response.writeHead(307, { location: elsewhere }).end());
    expect((await whoami(endpoint)).code).toBe(1);
    expect(received).toEqual([]);
  });

  it('without an end is given up', async () => {
    let sent = 0;
    const endpoint = await serve((_request, response) => {
      const more = () => {
        while (!response.destroyed && sent < 50_000_000) {
          sent += 65_536;
          if (!response.write('x'.repeat(65_536))) return void response.once('drain', more);
        }
      };
      more();
    });
    expect(await whoami(endpoint)).toMatchObject({ code: 1, notes: [expect.stringContaining('sends more than')] });
    expect(sent).toBeLessThan(50_000_000);
  });
});
