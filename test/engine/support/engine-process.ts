import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { engineFlags, enginePort } from '../../../constructs/workflow/engine-flags.ts';
import { parseWorkflow } from '../../../constructs/workflow/parse.ts';
import { bundleProgram } from '../../../local/images/bundle.ts';
import { freePort } from '../../support/free-port.ts';
import { type Sketch, workflowSource } from './workflows.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const deno = join(root, 'node_modules/.bin/deno');
const startDeadlineMs = 45_000;

let bundle: Promise<string> | undefined;

/** The bundle that the image carries. */
function engineBundle(): Promise<string> {
  bundle ??= bundleProgram(root, 'engine/main.ts', 'deno').then(({ text }) => text);
  return bundle;
}

export interface ProcessSetting extends Omit<Sketch, 'nodes'> {
  /** Source of each node's module; its name is the node's. */
  readonly modules: Readonly<Record<string, string>>;
  /** Fields of nodes besides their path. */
  readonly nodes?: Sketch['nodes'];
  /** Further files of the workflow, by path. */
  readonly files?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, JsonObject>>;
  /** Added to the environment: what a cluster puts there, and the flags hide. */
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly importMap?: JsonObject;
  /** Called with the folder that stands for the root, before the engine starts. */
  readonly prepare?: (root: string) => void;
}

export interface EngineProcess {
  readonly url: string;
  readonly port: number;
  /** Stands for the root of the pod's file system: `engine`, `app`, `tmp` are in it. */
  readonly root: string;
  readonly pid: number;
  /** Parsed lines of stdout so far. */
  log(): JsonObject[];
  stderr(): string;
  /** POST /run */
  run(init?: RequestInit): Promise<{ status: number; body: JsonObject }>;
  get(path: string): Promise<{ status: number; body: JsonObject }>;
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts the engine as the pod does: the bundle, the rendered flags, the fixed environment; only the root differs. */
export async function spawnEngine(setting: ProcessSetting): Promise<EngineProcess> {
  const { modules, nodes = {}, files = {}, secrets = {}, importMap, env = {}, args = [], prepare, ...sketch } = setting;
  const folder = mkdtempSync(join(tmpdir(), 'engine-'));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const source = workflowSource({
    ...sketch,
    nodes: Object.fromEntries(Object.keys(modules).map((name) => [name, nodes[name] ?? {}])),
  });
  write('engine/main.js', await engineBundle());
  write('app/workflow/workflow.yaml', JSON.stringify(source));
  for (const [name, text] of Object.entries(modules)) write(`app/workflow/nodes/${name}.ts`, text);
  for (const [path, text] of Object.entries(files)) write(`app/workflow/${path}`, text);
  if (importMap !== undefined) write('app/workflow/import_map.json', JSON.stringify(importMap));
  for (const [service, value] of Object.entries(secrets)) write(`app/secrets/${service}`, JSON.stringify(value));
  mkdirSync(join(folder, 'tmp'));
  prepare?.(folder);

  const port = await freePort();
  const imports = { kind: 'none', importMap: importMap !== undefined, lock: false } as const;
  const flags = engineFlags({ workflow: parseWorkflow(source), options: {}, imports }).map((flag) =>
    flag.replaceAll(`:${enginePort}`, `:${port}`).replaceAll(/(?<=[=,])\/(engine|app|tmp)/g, `${folder}/$1`),
  );
  const paths = ['--workflow', join(folder, 'app/workflow'), '--secrets', join(folder, 'app/secrets')];
  const child = spawn(deno, ['run', ...flags, join(folder, 'engine/main.js'), ...paths, '--port', `${port}`, ...args], {
    cwd: join(folder, 'engine'),
    env: {
      TENTACULAR_ENCLAVE: 'team',
      TENTACULAR_TENTACLE: 'sketch',
      TENTACULAR_VERSION: '1.0.0',
      DENO_DIR: join(folder, 'tmp/deno'),
      DENO_NO_UPDATE_CHECK: '1',
      HOME: join(folder, 'engine'),
      ...env,
    },
  });
  return control(child, folder, port);
}

function control(child: ChildProcess, folder: string, port: number): EngineProcess {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (part: Buffer) => (stdout += part));
  child.stderr?.on('data', (part: Buffer) => (stderr += part));
  const exited = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const url = `http://localhost:${port}`;
  const answer = async (response: Response) => ({
    status: response.status,
    body: (await response.json()) as JsonObject,
  });
  return {
    url,
    port,
    root: folder,
    pid: child.pid ?? 0,
    log: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line): JsonObject => JSON.parse(line)),
    stderr: () => stderr,
    run: async (init) => answer(await fetch(`${url}/run`, { method: 'POST', ...init })),
    get: async (path) => answer(await fetch(`${url}${path}`)),
    signal: (name) => child.kill(name),
    exited,
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until /health answers with `status`. */
export async function healthOf(engine: EngineProcess, status: number): Promise<void> {
  const deadline = Date.now() + startDeadlineMs;
  let ended: number | null | undefined;
  void engine.exited.then((code) => (ended = code));
  for (;;) {
    const found = await fetch(`${engine.url}/health`).then(
      async (response) => {
        await response.body?.cancel();
        return response.status;
      },
      () => undefined,
    );
    if (found === status) return;
    const said = JSON.stringify(engine.log()) + engine.stderr();
    if (ended !== undefined) throw new Error(`the engine ended with ${ended}: ${said}`);
    if (Date.now() > deadline) throw new Error(`/health is ${found}, not ${status}: ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The same, ready to run. */
export async function startEngine(setting: ProcessSetting): Promise<EngineProcess> {
  const engine = await spawnEngine(setting);
  try {
    await healthOf(engine, 200);
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}
