import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { chart, helm } from '../charts/chart.ts';
import { createKube } from './kube.ts';

/** Of its own namespace, names and NodePort: one at a time a cluster, beside the one that is installed for all. */
const name = 'tentacular-mcp-second';
const namespace = 'tentacular-second';
const release = 'second';
const nodePort = 30_081;

/** A control plane out of the chart, installed with values that no other test could live with. */
export interface SecondControlPlane {
  readonly namespace: string;
  /** The ServiceAccount as the API server writes it. */
  readonly username: string;
  readonly url: string;
  readonly endpoint: string;
  /** The static token. */
  readonly token: string;
  /** Upgrades with these values over those it was installed with, and waits for the new pods. */
  upgrade(values: JsonObject): Promise<void>;
  /** All lines of the pods there are, in no order across pods: log and audit stream. */
  logLines(): Promise<string[]>;
  remove(): Promise<void>;
}

/**
 * Installs it over what fits the cluster (the values of the control plane that is there already), after taking away
 * what an earlier run left behind.
 * @param values In place of those of the same name; `live` are the values that it is installed over.
 */
export async function installSecondControlPlane(values: (live: JsonObject) => JsonObject): Promise<SecondControlPlane> {
  const program = inject('helm');
  const kubeconfig = inject('kubeconfig');
  const kube = createKube(inject('kubectl'), kubeconfig);
  const where = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  const folder = await mkdtemp(join(tmpdir(), 'tentacular-second-'));
  const renamed = join(folder, 'chart');

  async function uninstall(): Promise<void> {
    await helm(program, ['uninstall', release, '--ignore-not-found', '--wait', ...where]);
    await kube.remove('namespace', namespace);
  }
  async function remove(): Promise<void> {
    await uninstall();
    await rm(folder, { recursive: true, force: true });
  }
  async function apply(all: JsonObject): Promise<void> {
    const flags = ['--install', '--create-namespace', '--wait', '--timeout', '120s', '--values', '-'];
    await helm(program, ['upgrade', release, renamed, ...flags, ...where], JSON.stringify(all));
    // Helm is content with ready pods; those of before go on answering until they have ended.
    const selector = `app.kubernetes.io/name=${name}`;
    await kube.kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']);
    for (const pod of await kube.list('pods', namespace, selector)) {
      if (pod.metadata.deletionTimestamp === undefined) continue;
      await kube.kubectl(['wait', '--for=delete', `pod/${pod.metadata.name}`, '-n', namespace, '--timeout=60s']);
    }
  }

  const live = JSON.parse(
    await helm(program, [
      ...['get', 'values', 'tentacular-mcp', '--output', 'json'],
      ...['--kubeconfig', kubeconfig, '--namespace', inject('systemNamespace')],
    ]),
  ) as JsonObject;
  const url = `http://127.0.0.1:${nodePort}`;
  const given = { ...live, service: { nodePort }, externalURL: url, ...values(live) };
  try {
    await uninstall();
    await copyRenamed(renamed);
    await apply(given);
    const secret = await kube.get('secret', 'tentacular-mcp-auth', namespace);
    const data = isJsonObject(secret?.data) ? secret.data : {};
    return {
      namespace,
      username: `system:serviceaccount:${namespace}:${name}`,
      url,
      endpoint: `${url}/mcp`,
      token: Buffer.from(String(data.token), 'base64').toString('utf8').trim(),
      upgrade: (more) => apply({ ...given, ...more }),
      async logLines() {
        const selector = ['-l', `app.kubernetes.io/name=${name}`, '--tail=-1', '--max-log-requests=10'];
        return (await kube.kubectl(['logs', '-n', namespace, ...selector])).split('\n').filter((line) => line !== '');
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * The chart with the two names changed that a cluster has room for once: of the control plane's own objects, and of the
 * role that enclaves bind. Nothing else of it is touched.
 */
async function copyRenamed(folder: string): Promise<void> {
  await cp(chart, folder, { recursive: true });
  const helpers = join(folder, 'templates/_helpers.tpl');
  let text = await readFile(helpers, 'utf8');
  for (const [define, from, to] of [
    ['tentacular-mcp.name', 'tentacular-mcp', name],
    ['tentacular-mcp.enclaveRole', 'tentacular-enclave', 'tentacular-enclave-second'],
  ] as const) {
    const line = (value: string) => `{{- define "${define}" -}}${value}{{- end -}}`;
    if (!text.includes(line(from))) throw new Error(`the chart no longer has the line ${line(from)}`);
    text = text.replace(line(from), line(to));
  }
  await writeFile(helpers, text);
}
