import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TentacularError } from '../../constructs/model/errors.ts';
import { type ImageName, imageNames } from '../images/definitions.ts';
import type { BuiltImages } from '../images/ensure.ts';
import { runCommand } from '../run-command.ts';
import { releaseName } from './control-plane.ts';
import { type Reached, type StartTarget, waitForServer } from './target.ts';

const loadTimeoutMs = 300_000;
const forwardTimeoutMs = 30_000;

/**
 * The cluster of one kubeconfig context, named by the caller; the current context is never looked at. Programs come
 * from PATH. What is needed of the kubeconfig is copied to a file of its own (mode 0600), so that nothing that runs
 * later can take another context by accident.
 * @param env `KUBECONFIG`, and `TENTACULAR_{SERVER,ENGINE,ECHO}_IMAGE` for images from a registry.
 */
export async function contextTarget(
  context: string,
  cacheDir: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<StartTarget> {
  const stateDir = join(cacheDir, 'contexts', encodeURIComponent(context));
  const kubeconfig = await extractContext(context, stateDir);
  const givenImages = imagesFrom(env);
  return {
    description: `context ${context}`,
    stopCommand: `helm uninstall ${releaseName} --namespace tentacular-system --kube-context ${context}`,
    kubeconfig,
    kubectl: 'kubectl',
    helm: 'helm',
    stateDir,
    ...(givenImages !== undefined && { givenImages }),
    bringIn: (images) => loadInto(context, images),
    reach: (namespace) => portForward(kubeconfig, namespace),
  };
}

async function extractContext(context: string, stateDir: string): Promise<string> {
  const config = await runCommand(
    'kubectl',
    ['config', 'view', '--minify', '--flatten', '--raw', '--context', context],
    {
      hint: `TENTACULAR_CONTEXT names the context to use: kubectl config get-contexts lists them. Unset it for the embedded cluster.`,
    },
  );
  const path = join(stateDir, 'kubeconfig');
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  await writeFile(path, config, { mode: 0o600 });
  await chmod(path, 0o600);
  return path;
}

/** All of the images or none: a mixture of versions is nobody's wish. */
function imagesFrom(env: NodeJS.ProcessEnv): Readonly<Record<ImageName, string>> | undefined {
  const server = env.TENTACULAR_SERVER_IMAGE;
  const engine = env.TENTACULAR_ENGINE_IMAGE;
  const echo = env.TENTACULAR_ECHO_IMAGE;
  if (server && engine && echo) return { server, engine, echo };
  if (!server && !engine && !echo) return undefined;
  throw new TentacularError('invalid_input', 'Only some of the images are named', {
    hint: 'Set TENTACULAR_SERVER_IMAGE, TENTACULAR_ENGINE_IMAGE and TENTACULAR_ECHO_IMAGE, or none of them.',
  });
}

/** kind and k3d take archives; every other cluster pulls from a registry. */
async function loadInto(context: string, images: BuiltImages): Promise<void> {
  const [, tool, cluster] = /^(kind|k3d)-(.+)$/.exec(context) ?? [];
  if (tool === undefined || cluster === undefined) {
    const names = imageNames.map((name) => images[name].tar).join('\n');
    throw new TentacularError(
      'unavailable',
      `Context ${context} is neither kind nor k3d: images cannot be loaded into it`,
      {
        hint: `Push these archives to a registry (skopeo copy oci-archive:<tar> docker://<name>) and name them in TENTACULAR_SERVER_IMAGE, TENTACULAR_ENGINE_IMAGE, TENTACULAR_ECHO_IMAGE:\n${names}`,
      },
    );
  }
  for (const name of imageNames) {
    const { tar } = images[name];
    const args =
      tool === 'kind' ? ['load', 'image-archive', tar, '--name', cluster] : ['image', 'import', tar, '-c', cluster];
    await runCommand(tool, args, {
      timeoutMs: loadTimeoutMs,
      hint: `${tool} must be on PATH, the one that made ${context}.`,
    });
  }
}

/** Through the API server, because a NodePort of somebody's cluster is seldom reachable from here. */
async function portForward(kubeconfig: string, namespace: string): Promise<Reached> {
  const where = ['-n', namespace, `service/${releaseName}`];
  const child = spawn('kubectl', ['--kubeconfig', kubeconfig, 'port-forward', ...where, ':8080'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`kubectl port-forward ended with ${code}`)));
  });
  // Also once nobody waits for it any more.
  ended.catch(() => undefined);
  const port = await Promise.race([ended, forwardedPort(child.stdout)]);
  // It goes on to print a line a connection: read them, or it stops once the pipe is full.
  child.stdout.resume();
  const endpoint = `http://127.0.0.1:${port}/mcp`;
  await waitForServer(endpoint);
  return {
    endpoint,
    keepOpen: `kubectl --kubeconfig ${kubeconfig} port-forward ${where.join(' ')} ${port}:8080`,
    async close() {
      const exited = once(child, 'exit');
      if (child.kill('SIGTERM')) await exited;
    },
  };
}

async function forwardedPort(stdout: NodeJS.ReadableStream): Promise<number> {
  const timer = AbortSignal.timeout(forwardTimeoutMs);
  for await (const line of createInterface({ input: stdout, signal: timer })) {
    const port = /127\.0\.0\.1:(\d+) ->/.exec(line)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new TentacularError('timeout', `kubectl port-forward named no port within ${forwardTimeoutMs / 1000} s`, {
    hint: 'kubectl get pods -n tentacular-system shows whether the server runs.',
  });
}
