import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeIssuer, startFakeIssuer } from '../support/fake-issuer.ts';
import { type LoopbackServer, startLoopbackServer } from '../support/loopback-server.ts';
import { projectRoot } from '../support/source-files.ts';
import { type Home, makeHome, pong } from './home.ts';

const main = join(projectRoot, 'cli/main.ts');

describe('a process of tntc', () => {
  let home: Home;
  let server: LoopbackServer;
  let issuer: FakeIssuer;
  let children: ChildProcess[];
  /** Resolves when the issuer is asked for tokens; what it then does. */
  let asked: Promise<void>;
  let answersTokens: boolean;
  let tokenRequests: number;
  beforeEach(async () => {
    home = makeHome();
    children = [];
    answersTokens = true;
    tokenRequests = 0;
    server = await startLoopbackServer((_request, response) => response.end(pong));
    issuer = await startFakeIssuer();
    const { promise, resolve } = Promise.withResolvers<void>();
    asked = promise;
    issuer.answer = async (request, response) => {
      const [token_endpoint, revocation_endpoint] = [`${issuer.issuer}/token`, `${issuer.issuer}/revoke`];
      response.setHeader('content-type', 'application/json');
      if (!request.url?.endsWith('/token')) {
        return void response.end(JSON.stringify({ issuer: issuer.issuer, token_endpoint, revocation_endpoint }));
      }
      tokenRequests += 1;
      resolve();
      const tokens = { token_type: 'bearer', access_token: await issuer.token(), refresh_token: 'next' };
      if (answersTokens) response.end(JSON.stringify({ ...tokens, expires_in: 3600 }));
    };
    home.user({ environments: { prod: { mcp_endpoint: `${server.origin}/mcp`, oidc_issuer: issuer.issuer } } });
    const place = { endpoint: server.origin, issuer: issuer.issuer };
    mkdirSync(join(home.path, '.tentacular/tokens'), { recursive: true });
    const stored = { place, access_token: 'old', refresh_token: 'refresh', expires_at: 0 };
    writeFileSync(tokenFile(), JSON.stringify(stored));
  });
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await server.close();
    await issuer.stop();
    home.remove();
  });
  const tokenFile = () => join(home.path, '.tentacular/tokens/prod.json');
  const inFolder = () => readdirSync(join(home.path, '.tentacular/tokens'));

  function start(command: string, args: readonly string[]) {
    const env = { PATH: process.env.PATH, HOME: home.path, TENTACULAR_ENV: 'prod' };
    const child = spawn(command, args, { cwd: home.project, env });
    children.push(child);
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += String(chunk);
    });
    const ended = new Promise<{ code: number | null; told: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, told })),
    );
    return { child, ended };
  }
  const tntc = (command: string) => start(process.execPath, [main, command]);

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('stopped by %s ends with %i, keeps the login and nobody waiting for it', async (signal, code) => {
    answersTokens = false;
    const { child, ended } = tntc('whoami');
    await asked;
    expect(inFolder()).toContain('prod.json.lock');
    child.kill(signal);
    expect(await ended).toEqual({ code, told: '' });
    expect(inFolder()).toEqual(['prod.json']);
    expect(readFileSync(tokenFile(), 'utf8')).toContain('"refresh"');
  });

  // The lock would be there without its owner, and everybody wait for half a minute.
  it('stopped by a disk that is full says so, keeps the login and nobody waiting for it', async () => {
    const before = readFileSync(tokenFile(), 'utf8');
    const limited = `trap '' XFSZ; ulimit -f 0; exec "$0" "$1" whoami`;
    const { code, told } = await start('sh', ['-c', limited, process.execPath, main]).ended;
    expect({ code, told }).toEqual({ code: 1, told: expect.stringMatching(/^tntc failed: EFBIG/) });
    expect(tokenRequests).toBe(0);
    expect(inFolder()).toEqual(['prod.json']);
    expect(readFileSync(tokenFile(), 'utf8')).toBe(before);
  });

  it('stopped by a crash leaves tokens that the next logout takes away', async () => {
    writeFileSync(`${tokenFile()}.0e2b2a4c-5d7e-4b0c-9a52-6f7a3c1d2e3f.half`, '{"access_token":"half');
    writeFileSync(join(home.path, '.tentacular/tokens/other.json'), '{}');
    expect((await home.tntc(['logout', '--env', 'prod'])).code).toBe(0);
    expect(inFolder()).toEqual(['other.json']);
  });

  it('beside others renews the token no more than once between them', async () => {
    const codes = await Promise.all(Array.from({ length: 3 }, async () => (await tntc('whoami').ended).code));
    expect(codes).toEqual([0, 0, 0]);
    expect(tokenRequests).toBe(1);
    expect(inFolder()).toEqual(['prod.json']);
  });
});
