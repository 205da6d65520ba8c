import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type EngineProcess,
  healthOf,
  type ProcessSetting,
  spawnEngine,
  startEngine,
} from './support/engine-process.ts';
import { httpServer } from './support/http-server.ts';

// The bundle in a real Deno, started as the pod starts it.

const running: EngineProcess[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((engine) => engine.stop()));
});

async function start(setting: ProcessSetting): Promise<EngineProcess> {
  const engine = await startEngine(setting);
  running.push(engine);
  return engine;
}

async function spawn(setting: ProcessSetting): Promise<EngineProcess> {
  const engine = await spawnEngine(setting);
  running.push(engine);
  return engine;
}

const node = (body: string) => `export default async function (ctx: any, input: any) { ${body} }`;
const sleep = (ms: number) => `await new Promise((resolve) => setTimeout(resolve, ${ms}));`;
/** Waits, at the top level of a module or in a node, until the test says `go`. */
const untilGo = `for (;;) { try { Deno.statSync(Deno.env.get('HOME') + '/go'); break; } catch { ${sleep(10)} } }`;
const go = (engine: EngineProcess) => writeFileSync(join(engine.root, 'engine/go'), '');
const messages = (engine: EngineProcess) => engine.log().map(({ msg }) => msg);

async function logged(engine: EngineProcess, text: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!messages(engine).some((message) => String(message).includes(text))) {
    if (Date.now() > deadline) throw new Error(`${text} is not in the log: ${messages(engine).join(' | ')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('modules', () => {
  it('are TypeScript with the types of the node API, relative imports and JSON', async () => {
    const engine = await start({
      modules: {
        greet: `
          import type { Context, NodeFunction } from 'tentacular';
          import { shout } from '../lib/shout.ts';
          import words from '../words.json' with { type: 'json' };
          interface Input { readonly name?: string }
          const greet: NodeFunction<Input> = async (ctx: Context, { name = 'world' }) => {
            ctx.log.info('greeting', { name });
            return shout(\`\${words.hello} \${name}\`);
          };
          export default greet;
        `,
      },
      files: {
        'lib/shout.ts': 'export const shout = (text: string): string => text.toUpperCase();',
        'words.json': '{"hello":"hi"}',
      },
    });
    expect(await engine.run({ body: '{"name":"Ada"}' })).toMatchObject({
      status: 200,
      body: { outputs: { greet: 'HI ADA' } },
    });
    expect(engine.log()).toContainEqual(
      expect.objectContaining({ msg: 'greeting', name: 'Ada', node: 'greet', attempt: 1 }),
    );
  });

  it('resolve bare names through the import map that the flags name', async () => {
    const engine = await start({
      modules: { a: `import { value } from 'shared'; export default () => value;` },
      files: { 'lib/shared.ts': 'export const value: number = 42;' },
      importMap: { imports: { shared: './lib/shared.ts' } },
    });
    expect((await engine.run()).body).toMatchObject({ outputs: { a: 42 } });
  });

  it('that do not load end the process with every reason in the log', async () => {
    const engine = await spawn({
      modules: {
        broken: 'export default function (',
        absent: `import './nowhere.ts'; export default () => 1;`,
        empty: 'export {};',
      },
    });
    expect(await engine.exited).toBe(1);
    const [error] = engine.log().filter(({ level }) => level === 'error');
    for (const name of ['broken', 'absent', 'empty']) expect(error?.msg).toContain(`nodes.${name}.path`);
  });

  it('while they load, health is 503', async () => {
    const engine = await spawn({ modules: { slow: `${untilGo} export default () => 1;` } });
    await healthOf(engine, 503);
    expect((await engine.run()).status).toBe(503);
    go(engine);
    await healthOf(engine, 200);
    expect((await engine.run()).status).toBe(200);
  });
});

it('a workflow.yaml that is broken ends the process with every fault and its place', async () => {
  const engine = await spawn({
    modules: { a: node('') },
    files: { 'workflow.yaml': 'name: Bad\nversion: "1.0"\nnode: {}' },
  });
  expect(await engine.exited).toBe(1);
  const [error] = engine.log().filter(({ level }) => level === 'error');
  for (const part of ['name (line 1, column 7)', 'node (line 3, column 1)', 'nodes'])
    expect(error?.msg).toContain(part);
});

describe('the address', () => {
  it('answers on IPv4 and IPv6 where there is both', async () => {
    const engine = await start({ modules: { a: node('') } });
    const loopback = Object.values(networkInterfaces()).flatMap((all = []) => all.filter(({ internal }) => internal));
    const isThere = (wanted: string) => loopback.some(({ address }) => address === wanted);
    for (const host of ['127.0.0.1', ...(isThere('::1') ? ['[::1]'] : [])])
      expect((await fetch(`http://${host}:${engine.port}/health`)).status).toBe(200);
  });
});

describe('limits', () => {
  it('a body beyond 1 MiB is 413 whether its length is announced or not, and the engine lives on', async () => {
    const engine = await start({ modules: { a: node('return input.length') } });
    const text = JSON.stringify('x'.repeat(1024 * 1024));
    expect((await engine.run({ body: text })).status).toBe(413);
    expect((await engine.run({ body: new Blob([text]).stream(), duplex: 'half' })).status).toBe(413);
    expect((await engine.run({ body: JSON.stringify('x'.repeat(1024 * 1024 - 2)) })).body).toMatchObject({
      outputs: { a: 1024 * 1024 - 2 },
    });
  });

  it('what is no HTTP does no harm', async () => {
    const engine = await start({ modules: { a: node('') } });
    for (const text of [
      '\u0000\u0001\u0002\r\n\r\n',
      'POST /run HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      `GET /${'x'.repeat(200_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      await new Promise<void>((resolve) => {
        const socket = connect(engine.port, '127.0.0.1', () => socket.write(text));
        socket
          .on('close', () => resolve())
          .on('error', () => undefined)
          .on('data', () => socket.end());
      });
    }
    expect((await engine.run()).status).toBe(200);
  });
});

describe('what nodes do wrong', () => {
  it('a promise that nobody awaits and a timer that throws are logged with the node, counted, and survived', async () => {
    const engine = await start({
      modules: {
        a: node(
          `Promise.reject(new Error('forgotten')); setTimeout(() => { throw new Error('late'); }, 1); ${sleep(30)} return 1;`,
        ),
      },
    });
    expect((await engine.run()).body).toMatchObject({ success: true });
    await logged(engine, 'late');
    expect(engine.log()).toContainEqual(
      expect.objectContaining({
        level: 'error',
        msg: 'unhandled error of a node: forgotten',
        node: 'a',
        run_id: expect.any(String),
      }),
    );
    expect((await engine.get('/health?detail=1')).body).toMatchObject({ unhandled_errors: 2 });
  });

  it('a node that ignores its signal is abandoned at its timeout', async () => {
    const engine = await start({ modules: { deaf: node(sleep(60_000)) }, nodes: { deaf: { timeout: '100ms' } } });
    expect((await engine.run()).body).toMatchObject({
      success: false,
      error: { node: 'deaf', message: 'took longer than its timeout of 100 ms' },
      nodes: [{ status: 'timeout', attempts: 1 }],
    });
    expect((await engine.get('/health?detail=1')).body).toMatchObject({ abandoned_nodes: 1 });
  });

  it('console writes structured lines with the node, without secrets and without control characters', async () => {
    const engine = await start({
      modules: {
        a: node(
          `console.log('token', ctx.dependency('api').secret, '\\u001b[31mred\\nnext'); console.error(new TypeError('odd'));`,
        ),
      },
      contract: {
        api: { protocol: 'https', host: 'api.example.com', port: 443, auth: { type: 'bearer', secret: 'api.token' } },
      },
      secrets: { api: { token: 'c4nary-value' } },
    });
    await engine.run();
    expect(engine.log()).toContainEqual(
      expect.objectContaining({ level: 'info', msg: 'token [redacted] \u001b[31mred\nnext', node: 'a' }),
    );
    expect(engine.log()).toContainEqual(expect.objectContaining({ level: 'error', msg: 'TypeError: odd', node: 'a' }));
    expect(engine.stderr()).toBe('');
  });
});

describe('secrets', () => {
  const api = { protocol: 'https', host: 'api.example.com', port: 443, auth: { type: 'bearer', secret: 'api.token' } };

  it('are read afresh, so that a rotation takes effect without a restart', async () => {
    const engine = await start({
      modules: { a: node(`return ctx.dependency('api').secret.length`) },
      contract: { api },
      secrets: { api: { token: 'first' } },
    });
    expect((await engine.run()).body).toMatchObject({ outputs: { a: 5 } });
    writeFileSync(join(engine.root, 'app/secrets/api'), '{"token":"the-second"}');
    expect((await engine.run()).body).toMatchObject({ outputs: { a: 10 } });
    rmSync(join(engine.root, 'app/secrets/api'));
    expect((await engine.run()).body).toMatchObject({
      error: { message: expect.stringContaining('secret api is not there') },
    });
  });

  it('that a node reads from the folder by itself are redacted all the same', async () => {
    const engine = await start({
      modules: { a: node(`throw new Error(Deno.readTextFileSync(input.path))`) },
      secrets: { api: { token: 'c4nary-value' } },
    });
    const { body } = await engine.run({ body: JSON.stringify({ path: join(engine.root, 'app/secrets/api') }) });
    expect(body).toMatchObject({ error: { message: '{"token":"[redacted]"}' } });
  });
});

it('ctx.dependency().fetch reaches a sidecar and passes the trace context on', async () => {
  const sidecar = await httpServer();
  try {
    const engine = await start({
      modules: { a: node(`return await (await ctx.dependency('pdf').fetch('/render')).text()`) },
      sidecars: [{ name: 'pdf', image: 'example.com/pdf:1', port: sidecar.port, protocol: 'http' }],
    });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await engine.run({ headers: { traceparent } })).body).toMatchObject({ outputs: { a: 'ok' } });
    expect(sidecar.seen).toMatchObject([{ path: '/render', headers: { traceparent } }]);
  } finally {
    await sidecar.close();
  }
});

describe('SIGTERM', () => {
  // Process 1 of a container ignores a signal without a listener: the pod would stay for its whole grace period.
  it('is heard from the very start, before the workflow is read', async () => {
    // The engine waits for workflow.yaml as long as nobody writes into the pipe.
    let text = '';
    const pipe = (root: string) => join(root, 'app/workflow/workflow.yaml');
    const prepare = (root: string) => {
      text = readFileSync(pipe(root), 'utf8');
      rmSync(pipe(root));
      execFileSync('mkfifo', [pipe(root)]);
    };
    const engine = await spawn({ modules: { a: node('') }, prepare });
    const writer = await openedByReader(pipe(engine.root));
    engine.signal('SIGTERM');
    writeFileSync(writer, text);
    closeSync(writer);
    expect(await engine.exited).toBe(0);
  });

  it('lets the run under way finish, refuses new ones, and exits 0', async () => {
    const engine = await start({
      modules: { a: node(`${untilGo} return 'finished'`) },
      config: { max_concurrency: 5 },
    });
    const answer = engine.run({ headers: { 'x-tentacular-run-id': 'last' } });
    await logged(engine, 'run started');
    engine.signal('SIGTERM');
    await logged(engine, 'draining');
    expect((await engine.get('/health')).status).toBe(503);
    expect((await engine.run()).status).toBe(503);
    go(engine);
    expect(await answer).toMatchObject({ status: 200, body: { outputs: { a: 'finished' } } });
    expect(await engine.exited).toBe(0);
    expect(engine.log().at(-1)).toMatchObject({ msg: 'drained', cut_off: 0 });
  });

  it('without a run under way ends at once', async () => {
    const engine = await start({ modules: { a: node('') } });
    await engine.run();
    const began = Date.now();
    engine.signal('SIGTERM');
    expect(await engine.exited).toBe(0);
    // The grace period is 35 s.
    expect(Date.now() - began).toBeLessThan(15_000);
  });

  it('after the grace period ends what is left as failed, answers its caller, and exits 1', async () => {
    const engine = await start({ modules: { a: node(sleep(60_000)) }, args: ['--grace-ms', '200'] });
    const answer = engine.run();
    await logged(engine, 'run started');
    engine.signal('SIGTERM');
    expect(await answer).toMatchObject({
      status: 500,
      body: { error: { node: 'a', message: expect.stringContaining('shut down') } },
    });
    expect(await engine.exited).toBe(1);
  });

  it('twice ends at once', async () => {
    const engine = await start({ modules: { a: node(sleep(60_000)) } });
    const answer = engine.run().catch(() => 'cut');
    await logged(engine, 'run started');
    engine.signal('SIGTERM');
    await logged(engine, 'draining');
    engine.signal('SIGTERM');
    expect(await engine.exited).toBe(1);
    expect(await answer).toBe('cut');
  });
});

/** The writing end of a named pipe, once somebody reads at the other one. */
async function openedByReader(path: string): Promise<number> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENXIO') || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
