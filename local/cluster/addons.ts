import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { runCommand } from '../run-command.ts';
import { getObject } from './api-client.ts';
import type { Layout } from './layout.ts';
import type { Settings } from './settings.ts';
import { writeIfChanged } from './write-file.ts';

const FIELD_MANAGER = 'tentacular-local-cluster';

/** How addons are applied. */
export interface AddonTarget {
  readonly settings: Settings;
  readonly layout: Layout;
  readonly kubectl: string;
}

/** Calico's types and rights, without which neither Felix nor the CNI plugin works. `felix`: its manifests lie beside it. */
export async function ensureCalico(target: AddonTarget, felix: string): Promise<void> {
  const folder = dirname(felix);
  const crds = await readFile(join(folder, 'crds.yaml'), 'utf8');
  const rights = calicoRights(await readFile(join(folder, 'canal.yaml'), 'utf8'));
  await applyOnce(target, 'calico', [crds, rights], async (apply) => {
    const types = parseAllDocuments(crds).map((document): unknown => document.toJS());
    await Promise.all([apply('types', types.filter(isJsonObject)), apply('rights', rights)]);
    await runCommand(target.kubectl, [
      ...['--kubeconfig', target.layout.kubeconfig, 'wait', '--for=condition=Established', '--timeout=30s'],
      'crd/clusterinformations.crd.projectcalico.org',
    ]);
    // Felix and the CNI plugin wait for ever without this one.
    await apply('information', [clusterInformation()]);
  });
}

/** CoreDNS. `resolvers`: where it forwards names from outside; empty: they do not exist. */
export async function ensureCoredns(target: AddonTarget, image: string, resolvers: readonly string[]): Promise<void> {
  const objects = coredns(target.settings, image, resolvers);
  await applyOnce(target, 'coredns', objects, (apply) => apply('objects', objects));
}

type Apply = (name: string, items: readonly JsonObject[]) => Promise<void>;

/** Applies only where what was applied last differs; the mark is written last, so a killed run applies all again. */
async function applyOnce(target: AddonTarget, addon: string, content: unknown, work: (apply: Apply) => Promise<void>) {
  const { settings, layout, kubectl } = target;
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  const mark = { name: `tentacular-local-${addon}`, namespace: 'kube-system' };
  const path = `/api/v1/namespaces/${mark.namespace}/configmaps/${mark.name}`;
  const found = await getObject(layout, settings.ports.api, path);
  if (isJsonObject(found) && isJsonObject(found.data) && found.data.digest === digest) return;
  const apply: Apply = async (name, items) => {
    const file = join(layout.etc, `${addon}-${name}.json`);
    await writeIfChanged(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    await runCommand(kubectl, [
      ...['--kubeconfig', layout.kubeconfig, 'apply', '--server-side', '--force-conflicts'],
      ...['--field-manager', FIELD_MANAGER, '-f', file],
    ]);
  };
  await work(apply);
  await apply('mark', [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: mark, data: { digest } }]);
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

function coredns(settings: Settings, image: string, resolvers: readonly string[]): JsonObject[] {
  const meta = { name: 'coredns', namespace: 'kube-system' };
  const labels = { 'k8s-app': 'kube-dns' };
  const config = corefile(resolvers);
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
          spec: corednsPod(image),
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
