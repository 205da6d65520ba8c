// First of all: from here on signals are heard.
import './process/stop-signal.ts';

import { pathToFileURL } from 'node:url';
import { parseWorkflow } from '../constructs/workflow/parse.ts';
import type { Workflow } from '../constructs/workflow/workflow.ts';
import { Redactor } from './context/redact.ts';
import { Secrets } from './context/secrets.ts';
import { Engine } from './engine.ts';
import { createApp } from './http/app.ts';
import { captureConsole } from './log/console.ts';
import { Logger } from './log/logger.ts';
import { nodeScope } from './log/scope.ts';
import { type EngineArguments, parseArguments } from './process/arguments.ts';
import { type DenoRuntime, denoRuntime, type HttpServer } from './process/deno.ts';
import { catchUnhandled, guardProcess } from './process/guard.ts';
import { lineWriter } from './process/line-writer.ts';
import { listen } from './process/listen.ts';
import { loadNodes } from './process/load-nodes.ts';
import { secretFolder } from './process/secret-folder.ts';
import { onStopSignal } from './process/stop-signal.ts';
import { failureOf } from './run/failure.ts';
import { planOf } from './run/plan.ts';
import { systemTime } from './run/time.ts';

/** Added to the workflow's timeout: how long after SIGTERM a run may still end. The pod's own period is longer. */
const graceMarginMs = 5000;
/** How long answers may take to leave once every run is over. */
const closeMs = 1000;

const deno = denoRuntime();
const exit = guardProcess(deno);
const redactor = new Redactor();
const log = new Logger({ write: lineWriter(deno.stdout), redactor, now: systemTime.now });
captureConsole(console, () => nodeScope.getStore()?.log ?? log);

try {
  await start(deno, parseArguments(deno.args));
} catch (thrown) {
  log.error(`the engine does not start: ${failureOf(thrown).message}`);
  exit(1);
}

async function start(deno: DenoRuntime, args: EngineArguments): Promise<void> {
  const workflow = parseWorkflow(deno.readTextFileSync(`${args.workflow}/workflow.yaml`));
  const secrets = new Secrets(secretFolder(args.secrets, deno), redactor);
  secrets.learnAll();
  const engine = new Engine({
    workflow,
    enclave: deno.env.get('TENTACULAR_ENCLAVE') ?? workflow.deployment.enclave ?? '',
    tentacle: deno.env.get('TENTACULAR_TENTACLE') ?? workflow.name,
    version: deno.env.get('TENTACULAR_VERSION') ?? workflow.version,
    secrets,
    redactor,
    log,
    time: systemTime,
    fetch: globalThis.fetch,
  });
  catchUnhandled((thrown) => engine.unhandled(failureOf(thrown).message));
  const app = createApp(engine, { onError: (thrown) => log.error(`request failed: ${failureOf(thrown).message}`) });
  const server = listen(deno, args, app, ({ hostname, port }) => log.info('listening', { address: hostname, port }));
  stopOnSignal(engine, server, args.graceMs ?? workflow.config.timeoutMs + graceMarginMs);
  const folder = pathToFileURL(`${args.workflow}/`);
  const callables = await loadNodes(workflow, (path) => import(new URL(path, folder).href), systemTime);
  engine.ready(planOf(workflow, callables));
  log.info('ready', { ...identity(workflow), nodes: callables.size, startup_ms: Math.round(systemTime.elapsed()) });
}

function identity({ name, version }: Workflow): object {
  return { workflow: name, version };
}

function stopOnSignal(engine: Engine, server: HttpServer, graceMs: number): void {
  const stop = async () => {
    if (engine.state === 'draining') return exit(1);
    log.info('draining', { in_flight: engine.detail().in_flight, grace_ms: graceMs });
    const cutOff = await engine.drain(graceMs);
    await Promise.race([server.shutdown(), new Promise((resolve) => systemTime.after(closeMs, () => resolve(null)))]);
    exit(cutOff === 0 ? 0 : 1);
  };
  onStopSignal(() => void stop());
}
