import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { lastLines, runCommand } from '../run-command.ts';
import { ensureRelease } from './release.ts';
import { type ClusterAddresses, controlPlaneValues, type ImageRefs } from './values.ts';

/** Name of the Helm release, its Deployment and its ServiceAccount. */
export const releaseName = 'tentacular-mcp';
export const defaultNamespace = 'tentacular-system';

/** What installing needs of a cluster. */
export interface InstallTarget {
  /** A kubeconfig whose current context is the cluster that is meant. */
  readonly kubeconfig: string;
  /** Paths of the programs. */
  readonly kubectl: string;
  readonly helm: string;
  /** Folder for the token's file. */
  readonly stateDir: string;
  /** Absent where the cluster is not ours. */
  readonly addresses?: ClusterAddresses;
}

export interface InstallOptions {
  /** Default `tentacular-system`. */
  readonly namespace?: string;
  /** Merged over what fits the cluster. */
  readonly values?: JsonObject;
}

export interface InstalledControlPlane {
  readonly change: 'unchanged' | 'installed';
  /** The static token, and the file (mode 0600) that holds it. */
  readonly token: string;
  readonly tokenFile: string;
}

const rolloutTimeoutSeconds = 180;

/**
 * Installs or upgrades the chart, waits until every replica is ready, and writes the token to a file of its own.
 * Idempotent. Images must be in the cluster, or where it can pull them.
 * @throws TentacularError; for pods that do not start, with their events and last log lines.
 */
export async function installControlPlane(
  target: InstallTarget,
  images: ImageRefs,
  options: InstallOptions = {},
): Promise<InstalledControlPlane> {
  const namespace = options.namespace ?? defaultNamespace;
  const values = merge(controlPlaneValues(images, target.addresses), options.values ?? {});
  const { helm, kubeconfig } = target;
  const chart = resolve(import.meta.dirname, '../../charts', releaseName);
  const change = await ensureRelease({ helm, kubeconfig, name: releaseName, namespace, chart }, values);
  await waitForRollout(target, namespace);
  const token = await readToken(target, namespace);
  const tokenFile = join(target.stateDir, 'mcp-token');
  await writePrivateFile(tokenFile, `${token}\n`);
  return { change, token, tokenFile };
}

async function waitForRollout(target: InstallTarget, namespace: string): Promise<void> {
  try {
    await kubectl(
      target,
      ['rollout', 'status', `deployment/${releaseName}`, '-n', namespace, `--timeout=${rolloutTimeoutSeconds}s`],
      (rolloutTimeoutSeconds + 10) * 1000,
    );
  } catch (cause) {
    const selector = `app.kubernetes.io/name=${releaseName}`;
    const questions = [
      ['get', 'pods', '-n', namespace, '-l', selector],
      ['get', 'events', '-n', namespace, '--field-selector', 'type=Warning', '--sort-by', '.lastTimestamp'],
      ['logs', '-n', namespace, '-l', selector, '--tail', '10', '--prefix'],
    ];
    const answers = await Promise.all(
      questions.map((args) => kubectl(target, args).catch((error: Error) => error.message)),
    );
    throw new TentacularError(
      'unavailable',
      `The control plane is not ready after ${rolloutTimeoutSeconds} s:\n${answers.map((text) => lastLines(text, 10)).join('\n')}`,
      { hint: `kubectl --kubeconfig ${target.kubeconfig} describe pods -n ${namespace}`, cause },
    );
  }
}

async function readToken(target: InstallTarget, namespace: string): Promise<string> {
  const secret: unknown = JSON.parse(
    await kubectl(target, ['get', 'secret', 'tentacular-mcp-auth', '-n', namespace, '-o', 'json']),
  );
  const data = isJsonObject(secret) && isJsonObject(secret.data) ? secret.data : {};
  const token = Buffer.from(String(data.token ?? ''), 'base64').toString('utf8');
  const [first = ''] = token.split('\n');
  if (first === '') {
    throw new TentacularError('not_found', `Secret/${namespace}/tentacular-mcp-auth holds no token`, {
      hint: 'Delete that Secret and start again: the chart then makes a new one.',
    });
  }
  return first.trim();
}

/** Never readable by others, not even for the moment of its making. */
async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: 0o600 });
  await chmod(path, 0o600);
}

function kubectl(target: InstallTarget, args: readonly string[], timeoutMs = 60_000): Promise<string> {
  return runCommand(target.kubectl, ['--kubeconfig', target.kubeconfig, ...args], { timeoutMs });
}

/** `over` wins; objects are merged, everything else is replaced. */
function merge(base: JsonObject, over: JsonObject): JsonObject {
  const merged: JsonObject = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isJsonObject(below) && isJsonObject(value) ? merge(below, value) : value;
  }
  return merged;
}
