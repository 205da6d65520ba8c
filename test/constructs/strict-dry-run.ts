import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { parse } from 'yaml';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';

/** What the API server says to an object that it is only asked about. */
export interface Verdict {
  readonly status: number;
  /** Empty where it was accepted. */
  readonly message: string;
  /** Pod Security, deprecated or unknown fields: an accepted object should raise none. */
  readonly warnings: readonly string[];
  /** The object as it would be stored; the Status where it was refused. */
  readonly stored: JsonObject;
}

const resources: Readonly<Record<string, string>> = {
  ConfigMap: 'configmaps',
  Deployment: 'deployments',
  LimitRange: 'limitranges',
  Namespace: 'namespaces',
  NetworkPolicy: 'networkpolicies',
  ResourceQuota: 'resourcequotas',
  RoleBinding: 'rolebindings',
  Service: 'services',
  ServiceAccount: 'serviceaccounts',
};

/** The real API server, spoken to directly: neither kubectl nor our own client stands in between. */
export class ApiServer {
  readonly #origin: string;
  readonly #agent: Agent;

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
    };
    const decode = (text = ''): string => Buffer.from(text, 'base64').toString('utf8');
    this.#origin = clusters[0]?.cluster.server ?? '';
    this.#agent = new Agent({
      connections: 4,
      connect: {
        ca: decode(clusters[0]?.cluster['certificate-authority-data']),
        cert: decode(users[0]?.user['client-certificate-data']),
        key: decode(users[0]?.user['client-key-data']),
      },
    });
  }

  /** Server-side apply with strict field validation, as a dry run. */
  apply(manifest: Manifest): Promise<Verdict> {
    return this.#ask('PATCH', `${pathOf(manifest)}?fieldManager=test&fieldValidation=Strict&dryRun=All`, manifest);
  }

  /** Server-side apply that counts. */
  applyForReal(manifest: Manifest): Promise<Verdict> {
    return this.#ask('PATCH', `${pathOf(manifest)}?fieldManager=test&fieldValidation=Strict&force=true`, manifest);
  }

  /** A pod from a template as a dry run: Pod Security refuses pods, and only warns about Deployments. */
  createPod(namespace: string, template: JsonObject): Promise<Verdict> {
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      ...template,
      metadata: { ...(template.metadata as JsonObject), generateName: 'probe-' },
    };
    return this.#ask('POST', `/api/v1/namespaces/${namespace}/pods?fieldValidation=Strict&dryRun=All`, pod);
  }

  async deleteNamespace(name: string): Promise<void> {
    await this.#ask('DELETE', `/api/v1/namespaces/${name}`, {});
  }

  close(): Promise<void> {
    return this.#agent.close();
  }

  async #ask(method: 'PATCH' | 'POST' | 'DELETE', path: string, body: object): Promise<Verdict> {
    const contentType = method === 'PATCH' ? 'application/apply-patch+yaml' : 'application/json';
    const {
      statusCode,
      headers,
      body: answer,
    } = await request(`${this.#origin}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { 'content-type': contentType },
      body: JSON.stringify(body),
      headersTimeout: 30_000,
      bodyTimeout: 30_000,
    });
    const stored = (await answer.json()) as JsonObject;
    const warnings = [headers.warning ?? []].flat();
    return { status: statusCode, message: statusCode < 300 ? '' : String(stored.message), warnings, stored };
  }
}

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const resource = resources[kind];
  if (!resource) throw new Error(`no resource known for ${kind}`);
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = metadata.namespace === undefined ? '' : `/namespaces/${metadata.namespace}`;
  return `${root}${scope}/${resource}/${metadata.name}`;
}
