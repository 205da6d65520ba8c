import { resolve } from 'node:path';
import { execPath } from 'node:process';
import { TentacularError } from '../constructs/model/errors.ts';
import { cacheFolder } from './binaries/find.ts';
import { up } from './cluster.ts';
import { duration, type Progress, streamProgress } from './progress.ts';
import { runCommand } from './run-command.ts';
import { bringImages } from './start/bring-images.ts';
import { contextTarget } from './start/context-target.ts';
import { defaultNamespace, installControlPlane } from './start/control-plane.ts';
import { embeddedTarget } from './start/embedded-target.ts';
import { describeSummary } from './start/summary.ts';
import { ensureEcho } from './start/support.ts';
import type { StartTarget } from './start/target.ts';

/**
 * `npm start`: a cluster (the embedded one, or the context that TENTACULAR_CONTEXT names), the images in it, the
 * control plane from its chart, the examples through MCP, one run. Every step does nothing where nothing has changed.
 */
async function start(progress: Progress): Promise<void> {
  const startedMs = Date.now();
  const cacheDir = cacheFolder();
  const target = await chooseTarget(cacheDir, progress);
  const images = await bringImages(target, cacheDir, progress);
  const control = await progress.step('control plane', async (report) => {
    report('helm upgrade --install tentacular-mcp');
    return installControlPlane(target, images);
  });
  const reached = await target.reach(defaultNamespace);
  try {
    await progress.step('echo service for the examples', () => ensureEcho(target, images.echo));
    const output = await progress.step('examples, through MCP', (report) =>
      runExamples(reached.endpoint, control.tokenFile, report),
    );
    process.stdout.write(`${output}\n`);
  } finally {
    await reached.close();
  }
  process.stdout.write(
    describeSummary({
      where: target.description,
      endpoint: reached.endpoint,
      tokenFile: control.tokenFile,
      kubeconfig: target.kubeconfig,
      keepOpen: reached.keepOpen,
      stopCommand: target.stopCommand,
      elapsed: duration(Date.now() - startedMs),
    }),
  );
}

/** Never the current context by itself: it may be somebody's production. */
async function chooseTarget(cacheDir: string, progress: Progress): Promise<StartTarget> {
  const context = process.env.TENTACULAR_CONTEXT;
  return context ? contextTarget(context, cacheDir) : embeddedTarget(await up({ cacheDir, progress }));
}

/** A client of its own in a process of its own: it can do nothing that another client could not. */
function runExamples(endpoint: string, tokenFile: string, report: (detail: string) => void): Promise<string> {
  const client = resolve(import.meta.dirname, '../examples/client.ts');
  return runCommand(execPath, [client, endpoint, tokenFile], {
    timeoutMs: 600_000,
    onStderrLine: (line) => report(line.trim()),
    hint: 'The last lines say which tool refused what; the server logs every call: kubectl logs -n tentacular-system -l app.kubernetes.io/name=tentacular-mcp.',
  });
}

try {
  await start(streamProgress());
} catch (error) {
  if (!(error instanceof TentacularError)) throw error;
  process.stderr.write(`\n${error.message}\n\n${error.hint}\n`);
  process.exitCode = 1;
}
