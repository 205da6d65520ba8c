import type { Context } from '../../../engine/api.ts';
import { Redactor } from '../../../engine/context/redact.ts';
import { Secrets } from '../../../engine/context/secrets.ts';
import { Engine } from '../../../engine/engine.ts';
import { createApp } from '../../../engine/http/app.ts';
import { Logger } from '../../../engine/log/logger.ts';
import { planOf } from '../../../engine/run/plan.ts';
import { systemTime, type Time } from '../../../engine/run/time.ts';
import { type Sketch, workflowOf } from './workflows.ts';

export type TestNodes = Readonly<Record<string, (ctx: Context, input: unknown) => unknown>>;

export interface EngineSetting extends Partial<Sketch> {
  readonly secrets?: Readonly<Record<string, unknown>>;
  readonly time?: Time;
  /** Leave the engine loading. */
  readonly loading?: boolean;
}

/** An engine whose nodes are functions, and its HTTP interface as a function. */
export function engineOf(
  nodes: TestNodes,
  { secrets: files = {}, time = systemTime, loading, ...sketch }: EngineSetting = {},
) {
  const workflow = workflowOf({
    nodes: Object.fromEntries(Object.keys(nodes).map((name) => [name, {}])),
    ...sketch,
  });
  const redactor = new Redactor();
  const lines: string[] = [];
  const read = (service: string) => (files[service] === undefined ? undefined : JSON.stringify(files[service]));
  const engine = new Engine({
    workflow,
    enclave: 'team',
    tentacle: 'sketch',
    version: workflow.version,
    secrets: new Secrets({ list: () => Object.keys(files), read }, redactor),
    redactor,
    log: new Logger({ write: (line) => lines.push(line), redactor, now: () => time.now() }),
    time,
    fetch: globalThis.fetch,
  });
  if (loading !== true) engine.ready(planOf(workflow, new Map(Object.entries(nodes))));
  const errors: unknown[] = [];
  const app = createApp(engine, { time, onError: (error) => errors.push(error) });
  const call = (path: string, init?: RequestInit) => app(new Request(`http://engine:8080${path}`, init));
  const run = (init?: RequestInit) => call('/run', { method: 'POST', ...init });
  return { engine, app, call, run, lines, errors };
}
