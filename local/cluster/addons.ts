import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { runCommand } from '../run-command.ts';
import { getObject } from './api-client.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';

const MARK = { namespace: 'kube-system', name: 'tentacular-local-cluster' };
const FIELD_MANAGER = 'tentacular-local-cluster';

export interface AddonSources {
  readonly kubectl: string;
  /** Calico's manifests lie beside it. */
  readonly calicoFelix: string;
  readonly corednsRef: string;
  /** Where CoreDNS forwards names from outside; empty: they do not exist. */
  readonly resolvers: readonly string[];
}

/** What the cluster needs inside it before pods can run: Calico's types and rights, and CoreDNS. Applied only when it differs. */
export async function ensureAddons(settings: Settings, layout: Layout, sources: AddonSources): Promise<void> {
  const folder = dirname(sources.calicoFelix);
  const crds = await readFile(join(folder, 'crds.yaml'), 'utf8');
  const canal = await readFile(join(folder, 'canal.yaml'), 'utf8');
  const first = [...calicoRights(canal), ...coredns(settings, sources)];
  const digest = createHash('sha256').update(crds).update(JSON.stringify(first)).digest('hex');
  if ((await appliedDigest(settings, layout)) === digest) return;
  await mkdir(layout.etc, { recursive: true });
  const apply = (file: string) =>
    runCommand(sources.kubectl, [
      ...['--kubeconfig', layout.kubeconfig, 'apply', '--server-side', '--force-conflicts'],
      ...['--field-manager', FIELD_MANAGER, '-f', file],
    ]);
  const write = async (name: string, items: readonly JsonObject[]) => {
    const file = join(layout.etc, name);
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    return file;
  };
  const objects = await write('addons.json', first);
  await Promise.all([apply(join(folder, 'crds.yaml')), apply(objects)]);
  // Felix waits for ever without this one. The mark comes with it, last: a killed run applies all again.
  await runCommand(sources.kubectl, [
    ...['--kubeconfig', layout.kubeconfig, 'wait', '--for=condition=Established', '--timeout=30s'],
    'crd/clusterinformations.crd.projectcalico.org',
  ]);
  await apply(await write('addons-last.json', [clusterInformation(), mark(digest)]));
}

async function appliedDigest(settings: Settings, layout: Layout): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${MARK.namespace}/configmaps/${MARK.name}`;
  const found = await getObject(layout, settings.ports.api, path);
  const digest = isJsonObject(found) && isJsonObject(found.data) ? found.data.digest : undefined;
  return typeof digest === 'string' ? digest : undefined;
}

/** Calico's two ClusterRoles, bound to the one user that both Felix and its CNI plugin use here. */
export function calicoRights(canal: string): JsonObject[] {
  const roles = ['calico-node', 'calico-cni-plugin'];
  const found = parseAllDocuments(canal)
    .map((document): unknown => document.toJS())
    .filter(isJsonObject)
    .filter(
      ({ kind, metadata }) => kind === 'ClusterRole' && isJsonObject(metadata) && roles.includes(`${metadata.name}`),
    );
  const bindings = roles.map((name) => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: `tentacular-${name}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'tentacular-calico' }],
  }));
  return [...found, ...bindings];
}

function clusterInformation(): JsonObject {
  return {
    apiVersion: 'crd.projectcalico.org/v1',
    kind: 'ClusterInformation',
    metadata: { name: 'default' },
    spec: {
      datastoreReady: true,
      calicoVersion: 'v3.28.5',
      clusterType: 'k8s,kdd',
      clusterGUID: '0123456789abcdef0123456789abcdef',
    },
  };
}

function mark(digest: string): JsonObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...MARK }, data: { digest } };
}

/** CoreDNS. `template` answers before `kubernetes` within one server block, hence two blocks. */
export function corefile(resolvers: readonly string[]): string {
  const outside =
    resolvers.length > 0
      ? `  forward . ${resolvers.join(' ')}\n  cache 30`
      : '  template ANY ANY . {\n    rcode NXDOMAIN\n  }';
  return `cluster.local:53 in-addr.arpa:53 {
  errors
  health :8080
  ready :8181
  kubernetes cluster.local in-addr.arpa {
    pods insecure
    ttl 5
  }
  cache 5
}
.:53 {
${outside}
}
`;
}

function coredns(settings: Settings, sources: AddonSources): JsonObject[] {
  const meta = { name: 'coredns', namespace: 'kube-system' };
  const labels = { 'k8s-app': 'kube-dns' };
  const config = corefile(sources.resolvers);
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: meta },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'tentacular-coredns' },
      rules: [
        { apiGroups: [''], resources: ['services', 'namespaces', 'pods', 'endpoints'], verbs: ['list', 'watch'] },
        { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'tentacular-coredns' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tentacular-coredns' },
      subjects: [{ kind: 'ServiceAccount', ...meta }],
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta, data: { Corefile: config } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kube-dns', namespace: 'kube-system', labels },
      spec: {
        clusterIP: settings.dnsServiceIp,
        selector: labels,
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
        ],
      },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { ...meta, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: {
            labels,
            // A changed Corefile makes new pods.
            annotations: { 'tentacular.io/corefile': createHash('sha256').update(config).digest('hex').slice(0, 16) },
          },
          spec: corednsPod(sources.corednsRef),
        },
      },
    },
  ];
}

function corednsPod(image: string): JsonObject {
  return {
    serviceAccountName: 'coredns',
    priorityClassName: 'system-cluster-critical',
    dnsPolicy: 'Default',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65534,
      runAsGroup: 65534,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'coredns',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: ['-conf', '/etc/coredns/Corefile'],
        ports: [
          { containerPort: 53, name: 'dns', protocol: 'UDP' },
          { containerPort: 53, name: 'dns-tcp', protocol: 'TCP' },
        ],
        readinessProbe: { httpGet: { path: '/ready', port: 8181 }, periodSeconds: 1 },
        livenessProbe: { httpGet: { path: '/health', port: 8080 }, periodSeconds: 10, failureThreshold: 6 },
        resources: { requests: { cpu: '20m', memory: '32Mi' }, limits: { memory: '170Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [{ name: 'config', mountPath: '/etc/coredns', readOnly: true }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: 'coredns' } }],
  };
}
