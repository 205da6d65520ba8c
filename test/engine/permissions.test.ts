import { createSocket } from 'node:dgram';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import { readableEnvironment } from '../../constructs/workflow/engine-flags.ts';
import { type EngineProcess, startEngine } from './support/engine-process.ts';
import { httpServer, type TestServer } from './support/http-server.ts';

// What a node can and cannot do under the flags that the contract renders to, tried in a real Deno. The contract
// names one target: the sidecar on `named`. `unnamed` listens just as well, and no contract knows it.

let named: TestServer;
let unnamed: TestServer;
let engine: EngineProcess;

beforeAll(async () => {
  named = await httpServer();
  unnamed = await httpServer();
  engine = await startEngine({
    modules: { probe },
    files: { 'nodes/beside.ts': 'export const beside = true;', 'data.json': '{"a":1}' },
    secrets: { api: { token: 'c4nary' } },
    sidecars: [{ name: 'named', image: 'example.com/named:1', port: named.port, protocol: 'http' }],
    contract: {
      far: { protocol: 'tcp', host: 'named.example.com', port: unnamed.port },
      range: { type: 'dynamic-target', cidr: '203.0.113.0/24', dynPorts: ['443/TCP'], reason: 'a test' },
      one: { type: 'dynamic-target', cidr: '2001:db8::7/128', dynPorts: ['443/TCP'], reason: 'a test' },
    },
    config: { timeout: '60s' },
    env: { CANARY_VARIABLE: 'c4nary', KUBERNETES_SERVICE_HOST: '10.0.0.1', PATH: '/usr/bin:/bin' },
  });
});
afterAll(async () => {
  await engine?.stop();
  await Promise.all([named.close(), unnamed.close()]);
});

/** Runs one expression within the node; what it returns, or the name of what it throws. */
const probe = `
export default async function (_ctx: unknown, input: { code: string; args: unknown[] }) {
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor;
  try {
    const value = await new AsyncFunction('args', 'return ' + input.code)(input.args);
    return { value: value === undefined ? 'undefined' : value };
  } catch (error) {
    return { denied: (error as Error).name, message: (error as Error).message };
  }
}
`;

async function attempt(code: string, ...args: (string | number)[]): Promise<JsonObject> {
  const { status, body } = await engine.run({ body: JSON.stringify({ code, args }) });
  expect(status, JSON.stringify(body)).toBe(200);
  return (body.outputs as { probe: JsonObject }).probe;
}

const denied = (message: RegExp) => ({ denied: 'NotCapable', message: expect.stringMatching(message) });

it('a node may reach what the contract names', async () => {
  const answer = await attempt('(await fetch("http://localhost:" + args[0] + "/hello")).text()', named.port);
  expect(answer).toEqual({ value: 'ok' });
  expect(named.seen).toMatchObject([{ path: '/hello' }]);
});

it.each([
  ['fetch', 'await fetch("http://127.0.0.1:" + args[0])'],
  ['fetch by another name of the same host', 'await fetch("http://localhost:" + args[0])'],
  ['a TCP connection', 'await Deno.connect({ hostname: "127.0.0.1", port: args[0] })'],
  ['a TCP connection over IPv6', 'await Deno.connect({ hostname: "::1", port: args[0] })'],
  [
    'a socket of node:net',
    'await (async () => { const net = await import("node:net"); await new Promise((ok, no) => net.connect(args[0], "127.0.0.1").on("connect", ok).on("error", no)); })()',
  ],
  [
    'a WebSocket',
    'await (async () => { const socket = new WebSocket("ws://127.0.0.1:" + args[0]); await new Promise((ok, no) => { socket.onopen = ok; socket.onerror = (e) => no(e.error ?? new Error(e.message)); }); })()',
  ],
])('a node may not reach a host that the contract does not name: %s', async (_how, code) => {
  const answer = await attempt(code, unnamed.port);
  expect(answer.value).toBeUndefined();
  expect(JSON.stringify(answer)).toMatch(/NotCapable|Requires net access/);
  expect(unnamed.seen).toEqual([]);
});

it('a port that the contract names for one host is not open for another', async () => {
  // `far` names the port of \`unnamed\`, on another host.
  expect(await attempt('await Deno.connect({ hostname: "localhost", port: args[0] })', unnamed.port)).toEqual(
    denied(/^Requires net access to "localhost:\d+"/),
  );
});

it('a named host does not open its other ports', async () => {
  expect(
    await attempt('await Deno.connect({ hostname: "localhost", port: args[0] })', named.port === 1 ? 2 : 1),
  ).toEqual(denied(/^Requires net access to "localhost:1"/));
});

it.each([
  ['203.0.113.9:443', 'granted'],
  ['[2001:db8::7]:443', 'granted'],
  ['203.0.113.9:444', 'prompt'],
  ['203.0.114.9:443', 'prompt'],
  ['[2001:db8::8]:443', 'prompt'],
  ['localhost:443', 'prompt'],
])(
  'a dynamic target opens the addresses and ports of its range, and nothing else: %s would be %s',
  async (host, state) => {
    const answer = await attempt('(await Deno.permissions.query({ name: "net", host: args[0] })).state', host);
    expect(answer).toEqual({ value: state });
  },
);

it('the address of cloud metadata is shut', async () => {
  expect(await attempt('await fetch("http://169.254.169.254/latest/meta-data/")')).toEqual(
    denied(/^Requires net access to "169\.254\.169\.254:80"/),
  );
});

it('a node may not listen on a port of its own', async () => {
  expect(await attempt('Deno.listen({ port: 0 })')).toEqual(denied(/^Requires net access/));
});

it('a node sees the fixed variables and no other', async () => {
  const names = (await attempt('Object.keys(Deno.env.toObject()).sort()')).value;
  expect(readableEnvironment).toEqual(expect.arrayContaining(names as string[]));
  expect(await attempt('Deno.env.get("TENTACULAR_ENCLAVE")')).toEqual({ value: 'team' });
  for (const name of ['CANARY_VARIABLE', 'KUBERNETES_SERVICE_HOST', 'PATH']) {
    expect(await attempt('Deno.env.get(args[0])', name)).toEqual({ value: 'undefined' });
    expect(await attempt('(await import("node:process")).env[args[0]]', name)).toEqual({ value: 'undefined' });
  }
});

it.each([
  ['a file of the system', 'Deno.readTextFileSync("/etc/passwd")'],
  ['the environment by way of /proc', 'Deno.readTextFileSync("/proc/self/environ")'],
  ['a folder', '[...Deno.readDirSync("/")]'],
  ['a file through node:fs', '(await import("node:fs")).readFileSync("/etc/passwd", "utf8")'],
  ['a file by way of ..', 'Deno.readTextFileSync(args[0] + "/app/../../../etc/passwd")'],
  ['a module outside of its folder', '(await import("file:///etc/passwd"))'],
])('a node may not read %s', async (_what, code) => {
  expect(await attempt(code, engine.root)).toMatchObject({ message: expect.stringMatching(/[Rr]equires read access/) });
});

it('a node reads its own code, data and /tmp, and writes to /tmp alone', async () => {
  expect(await attempt('Deno.readTextFileSync(args[0] + "/app/workflow/data.json")', engine.root)).toEqual({
    value: '{"a":1}',
  });
  expect(
    await attempt(
      '(Deno.writeTextFileSync(args[0] + "/tmp/mine", "x"), Deno.readTextFileSync(args[0] + "/tmp/mine"))',
      engine.root,
    ),
  ).toEqual({ value: 'x' });
});

it.each([
  ['its own code', '/app/workflow/nodes/beside.ts'],
  ['the engine', '/engine/main.js'],
  ['a secret', '/app/secrets/api'],
  ['anywhere else', '/elsewhere'],
])('a node may not write to %s', async (_what, path) => {
  expect(await attempt('Deno.writeTextFileSync(args[0] + args[1], "x")', engine.root, path)).toEqual(
    denied(/^Requires write access/),
  );
  expect(await attempt('(await import("node:fs")).writeFileSync(args[0] + args[1], "x")', engine.root, path)).toEqual(
    denied(/^Requires write access/),
  );
});

it('a link in /tmp does not open what it points to', async () => {
  expect(await attempt('Deno.symlinkSync("/etc/passwd", args[0] + "/tmp/link")', engine.root)).toMatchObject({
    denied: 'NotCapable',
  });
});

it('a node may not start a process', async () => {
  const mark = join(engine.root, 'tmp', 'spawned');
  expect(await attempt('await new Deno.Command("/usr/bin/touch", { args: [args[0]] }).output()', mark)).toEqual(
    denied(/^Requires run access/),
  );
  await attempt('(await import("node:child_process")).spawnSync("/usr/bin/touch", [args[0]]).status', mark);
  await attempt('(await import("node:child_process")).execSync("touch " + args[0]).toString()', mark);
  expect(existsSync(mark)).toBe(false);
});

it('a node may not load a native library', async () => {
  writeFileSync(join(engine.root, 'tmp', 'lib.so'), '');
  expect(await attempt('Deno.dlopen(args[0] + "/tmp/lib.so", {})', engine.root)).toEqual(
    denied(/^Requires ffi access/),
  );
  expect(await attempt('process.dlopen({ exports: {} }, args[0] + "/tmp/lib.so")', engine.root)).not.toHaveProperty(
    'value',
  );
});

it.each([
  ['https://example.com/mod.ts', 'Requires import access to "example.com:443"'],
  // Deno's default list of hosts holds this one; --no-remote shuts it too.
  ['https://esm.sh/zod', '--no-remote is specified'],
  ['npm:zod@4.0.0', '--no-npm is specified'],
])('a node may not import %s', async (specifier, message) => {
  expect(await attempt('await import(args[0])', specifier)).toMatchObject({
    message: expect.stringContaining(message),
  });
});

it('a worker has no more rights than its node', async () => {
  const code = `await new Promise((resolve, reject) => {
    const source = 'try { Deno.readTextFileSync("/etc/passwd"); postMessage("read") } catch (e) { postMessage(e.name) }';
    const worker = new Worker('data:text/javascript,' + encodeURIComponent(source), { type: 'module' });
    worker.onmessage = (event) => { worker.terminate(); resolve(event.data); };
    worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
  })`;
  expect(await attempt(code)).toEqual({ value: 'NotCapable' });
});

it('nothing asks at a terminal: permissions cannot be granted afterwards', async () => {
  expect(await attempt('(await Deno.permissions.request({ name: "net" })).state')).toEqual({ value: 'denied' });
  expect(await attempt('(await Deno.permissions.request({ name: "run" })).state')).toEqual({ value: 'denied' });
});

it.each([
  'Deno.exit(0)',
  'Deno.kill(Deno.pid, "SIGKILL")',
  'process.exit(0)',
  'process.abort()',
  'process.kill(process.pid, "SIGKILL")',
  '(await import("node:process")).exit(0)',
  '(await import("node:process")).kill(process.pid, "SIGKILL")',
  'close()',
])('a node does not end the engine by accident: %s', async (code) => {
  expect(await attempt(code)).toMatchObject({ message: expect.stringContaining('is not for nodes') });
  expect((await engine.get('/health')).status).toBe(200);
});

// The harm: a name asked for is a message to whoever answers for its domain, past every rule about connections.
it.each([
  [
    'Deno',
    'await Deno.resolveDns("canary.example.com", "TXT", { nameServer: { ipAddr: "127.0.0.1", port: args[0] } })',
  ],
  ['Deno, by the servers of the system', 'await Deno.resolveDns("canary.example.com", "TXT")'],
  [
    'node:dns',
    'await (async () => { const { promises } = await import("node:dns"); const asking = new promises.Resolver({ timeout: 500, tries: 1 }); asking.setServers(["127.0.0.1:" + args[0]]); return asking.resolveTxt("canary.example.com"); })()',
  ],
  ['node:dns, by the system', 'await (await import("node:dns")).promises.lookup("canary.example.com")'],
  [
    'a datagram',
    'await (async () => { const { createSocket } = await import("node:dgram"); await new Promise((ok, no) => { createSocket("udp4").on("error", no).send("canary", args[0], "127.0.0.1", (e) => (e ? no(e) : ok())); setTimeout(() => no(new Error("nothing happens")), 500); }); })()',
  ],
])('a node may not ask for a name that the contract does not hold: %s', async (_how, code) => {
  const received: string[] = [];
  const server = createSocket('udp4', (message) => received.push(message.toString('latin1')));
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
  const answer = await attempt(code, server.address().port);
  expect(answer).not.toHaveProperty('value');
  expect(answer).toHaveProperty('denied');
  // What was sent arrives before this does, from the same machine.
  const probe = createSocket('udp4');
  await new Promise<void>((resolve) => {
    server.on('message', () => resolve());
    probe.send('probe', server.address().port, '127.0.0.1');
  });
  probe.close();
  server.close();
  expect(received).toEqual(['probe']);
});
