import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../../constructs/model/json.ts';
import { eventually } from '../../support/eventually.ts';
import { startFakeApiServer } from '../../support/fake-api-server.ts';
import { freePort } from '../../support/free-port.ts';
import { projectRoot } from '../../support/source-files.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { post, token } from '../support/harness.ts';
import { rendererOptions } from '../support/renderer-options.ts';

interface Running {
  readonly child: ChildProcess;
  readonly endpoint: string;
  /** Whole lines so far. */
  stdout(): string[];
  stderr(): string[];
}

/** Planted where secrets are. */
const canary = 'CANARY-0451-x7q';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** The server as it is started in a pod, but for where its API server is. */
async function startServer(logLevel: string): Promise<Running> {
  const fake = await startFakeApiServer();
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-server-'));
  const write = async (name: string, content: string) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server: fake.url, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'somebody', user: {} }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'somebody' } }],
  };
  const port = await freePort();
  const child = spawn(process.execPath, [join(projectRoot, 'server/main.ts')], {
    env: {
      TENTACULAR_PORT: String(port),
      TENTACULAR_METRICS_PORT: '0',
      TENTACULAR_LOG_LEVEL: logLevel,
      TENTACULAR_CONTEXT: 'fake',
      KUBECONFIG: await write('kubeconfig', JSON.stringify(kubeconfig)),
      TENTACULAR_AUTH_TOKEN_FILE: await write('token', token),
      TENTACULAR_RENDERER_OPTIONS_FILE: await write('options.json', JSON.stringify(rendererOptions)),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  closers.push(
    () => fake.close(),
    () => rm(folder, { recursive: true }),
  );
  return control(child, `http://127.0.0.1:${port}`);
}

async function control(child: ChildProcess, url: string): Promise<Running> {
  const text = { stdout: '', stderr: '' };
  const exited = once(child, 'close');
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (part: string) => (text[name] += part));
  }
  closers.push(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await eventually('the server is ready', async () => (await fetch(`${url}/readyz`)).status === 200, {
    intervalMs: 50,
  });
  const lines = (name: 'stdout' | 'stderr') => text[name].split('\n').filter((line) => line !== '');
  return { child, endpoint: `${url}/mcp`, stdout: () => lines('stdout'), stderr: () => lines('stderr') };
}

const call = (name: string, args: JsonObject) => ({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name, arguments: args },
});

function records(lines: readonly string[]): JsonObject[] {
  return lines.map((line) => JSON.parse(line) as unknown).filter(isJsonObject);
}

/** What auth.md lists, beside what only some calls have. */
const always = [
  'time',
  'principal',
  'principal_kind',
  'client',
  'tool',
  'arguments_digest',
  'decision',
  'reason',
  'outcome',
  'duration_ms',
  'call_id',
  'trace_id',
];

describe('the audit stream of the process', () => {
  it('is standard output and nothing else is: at the quietest log level each call has its line', async () => {
    const server = await startServer('fatal');
    const hostile = 'x\n{"forged":true}\u2028\r\u0085{"forged":true}';
    const enclave = { name: 'audited', owner_email: 'ada@example.com' };
    const bodies = [
      call('enclave_provision', enclave),
      call('wf_apply', { enclave: 'audited', ...helloWorkflow('hello'), secrets: { api: { token: canary } } }),
      call('wf_status', { enclave: 'audited', name: 'hello' }),
      call('wf_status', { enclave: 'audited', name: 'absent' }),
      call('wf_status', { enclave: hostile, name: hostile, [hostile]: hostile }),
      call('wf_run', { enclave: 'audited', name: 'hello', input: { password: canary }, timeout_seconds: 1 }),
    ];
    for (const body of bodies) {
      const headers = { 'user-agent': `agent/1 ${canary}`, traceparent: canary };
      const response = await post(server.endpoint, body, headers);
      expect(response.status).toBe(200);
      // To its end: each call after the one before it.
      await response.text();
    }
    const many = Array.from({ length: 300 }, () => post(server.endpoint, call('wf_list', {})).then((r) => r.text()));
    await Promise.all(many);
    await eventually('all lines are out', async () => server.stdout().length >= bodies.length + many.length, {
      timeoutMs: 30_000,
      intervalMs: 50,
    });
    const all = records(server.stdout());
    expect(all).toHaveLength(bodies.length + many.length);
    expect(new Set(all.map(({ call_id }) => call_id)).size).toBe(all.length);
    for (const record of all) expect(Object.keys(record)).toEqual(expect.arrayContaining(always));
    expect(all.slice(0, 6)).toMatchObject([
      { tool: 'enclave_provision', enclave: 'audited', outcome: 'ok', client: 'agent/1' },
      { tool: 'wf_apply', enclave: 'audited', tentacle: 'hello', decision: 'allowed', outcome: 'ok' },
      { tool: 'wf_status', enclave: 'audited', tentacle: 'hello', outcome: 'ok' },
      { tool: 'wf_status', enclave: 'audited', tentacle: 'absent', decision: 'not-judged', outcome: 'not_found' },
      { tool: 'wf_status', decision: 'not-judged', outcome: 'invalid_input' },
      { tool: 'wf_run', enclave: 'audited', tentacle: 'hello', outcome: 'unavailable' },
    ]);
    expect(server.stdout().join('\n')).not.toMatch(new RegExp(`${canary}|forged|${token}`));
    expect(server.stderr()).toEqual([]);
  }, 180_000);

  // The harm: records waited in memory for whoever collects them, and went with the process.
  it('holds the record of every call that was answered, also where nobody reads it and the process is killed', async () => {
    const server = await startServer('fatal');
    server.child.stdout?.pause();
    let answered = 0;
    const caller = async () => {
      for (let round = 0; round < 100; round += 1) {
        await (await post(server.endpoint, call('wf_list', {}))).text();
        answered += 1;
      }
    };
    const callers = Promise.allSettled(Array.from({ length: 8 }, caller));
    const healthz = new URL('/healthz', server.endpoint);
    const isSilent = async () => {
      const before = answered;
      const alive = await fetch(healthz, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
      return alive === undefined && answered === before;
    };
    const ended = async () => answered === 800 || (await isSilent());
    await eventually('callers wait for the reader, or nobody is left', ended, { timeoutMs: 60_000, intervalMs: 50 });
    const exited = once(server.child, 'close');
    server.child.kill('SIGKILL');
    server.child.stdout?.resume();
    await Promise.all([exited, callers]);
    expect(server.stdout().length).toBeGreaterThanOrEqual(answered);
  }, 180_000);

  it('ends the process where nobody can read it any more: nobody acts without a record', async () => {
    const server = await startServer('fatal');
    const exited = once(server.child, 'exit');
    server.child.stdout?.destroy();
    const ask = () => post(server.endpoint, call('wf_list', {})).then((answer) => answer.text());
    expect(await ask().catch(() => 'no answer')).toBe('no answer');
    expect(await exited).toEqual([1, null]);
    await eventually('it says why', async () => server.stderr().join().includes('audit records cannot be written'));
  }, 180_000);

  it('and the log, which is another stream, holds neither arguments nor credentials at its loudest', async () => {
    const server = await startServer('trace');
    const source = { enclave: 'audited', ...helloWorkflow('hello'), secrets: { api: { token: canary } } };
    await post(server.endpoint, call('wf_apply', source)).then((response) => response.text());
    await post(server.endpoint, call('wf_apply', source), { authorization: `Bearer ${canary}` });
    await post(server.endpoint, `{"broken": "${canary}`);
    await eventually('it has logged', async () => server.stderr().some((line) => line.includes('unauthenticated')), {
      timeoutMs: 30_000,
      intervalMs: 50,
    });
    expect(records(server.stderr()).length).toBe(server.stderr().length);
    expect([...server.stderr(), ...server.stdout()].join('\n')).not.toMatch(new RegExp(`${canary}|${token}`));
    expect(records(server.stdout())).toMatchObject([{ tool: 'wf_apply', outcome: 'not_found' }]);
  }, 180_000);
});
