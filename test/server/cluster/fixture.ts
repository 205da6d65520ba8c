import { createHash } from 'node:crypto';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import { canonicalJson, type JsonObject } from '../../../constructs/model/json.ts';
import { enclaveLabels, tentacleLabels, tentacleSelector } from '../../../constructs/model/labels.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import type { RendererOptions } from '../../../constructs/model/options.ts';
import type { EnclaveSource, RenderedEnclave, RenderedTentacle } from '../../../constructs/source.ts';

function sha(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

export const options: RendererOptions = {
  engineImage: 'localhost/pause:1',
  controlPlane: { namespace: 'tentacular-system', serviceAccount: 'tentacular-mcp', podLabels: { app: 'mcp' } },
  dns: { namespaceLabels: { a: 'b' } },
  podCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/16'],
  nodeCidrs: ['172.31.255.0/24'],
};

export interface TentacleFixture {
  readonly version?: string;
  readonly code?: string;
  readonly egressPort?: number;
  readonly image?: string;
  readonly memory?: string;
  readonly command?: readonly string[];
  /** A second policy that the set holds beside its own. */
  readonly extraPolicy?: boolean;
  readonly secretServices?: readonly string[];
  readonly podExtra?: JsonObject;
}

/** A rendered set as the renderer gives it, by hand: code, Service, NetworkPolicy, Deployment. */
export function tentacle(enclave: string, name: string, fixture: TentacleFixture = {}): RenderedTentacle {
  const { version = '1.0.0', code = 'export default async () => 1;', egressPort = 443 } = fixture;
  const labels = tentacleLabels(enclave, name, version);
  const files = { 'workflow.yaml': `name: ${name}\nversion: "${version}"\n`, 'nodes_a.ts': code };
  const codeName = `${name}-code-${sha(files).slice(0, 10)}`;
  const meta = (own: string) => ({ name: own, namespace: enclave, labels });
  const manifests: Manifest[] = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(codeName), immutable: true, data: files },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: meta(name),
      spec: {
        type: 'ClusterIP',
        selector: tentacleSelector(enclave, name),
        ports: [{ name: 'http', port: 8080, targetPort: 8080 }],
      },
    },
    policy(enclave, name, meta(name), egressPort),
    ...(fixture.extraPolicy ? [policy(enclave, name, meta(`${name}-extra`), 5432)] : []),
    deployment(enclave, name, fixture, { labels, codeName }),
  ];
  const specHash = sha(manifests.map((manifest) => canonicalJson(manifest as JsonObject)));
  const last = manifests.at(-1);
  if (last) last.metadata.annotations = { ...last.metadata.annotations, [annotationKeys.specHash]: specHash };
  return {
    enclave,
    name,
    version,
    workflow: {
      name,
      version,
      triggers: [{ type: 'manual' }],
      nodes: {},
      edges: [],
      config: { timeoutMs: 30_000, retries: 0, maxConcurrency: 1, values: {} },
      deployment: {},
      contract: { version: '1', dependencies: {} },
      sidecars: [],
    },
    manifests,
    specHash,
    sourceHash: sha([files, fixture.egressPort ?? 0, fixture.extraPolicy ?? false]),
    secretServices: fixture.secretServices ?? [],
    warnings: [],
  };
}

function policy(enclave: string, name: string, metadata: Manifest['metadata'], port: number): Manifest {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata,
    spec: {
      podSelector: { matchLabels: tentacleSelector(enclave, name) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [{ to: [{ namespaceSelector: {} }], ports: [{ port }] }],
    },
  };
}

function deployment(
  enclave: string,
  name: string,
  fixture: TentacleFixture,
  set: { readonly labels: Record<string, string>; readonly codeName: string },
): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name,
      namespace: enclave,
      labels: set.labels,
      annotations: { [annotationKeys.description]: 'a fixture' },
    },
    spec: {
      replicas: 1,
      selector: { matchLabels: tentacleSelector(enclave, name) },
      template: {
        metadata: { labels: set.labels },
        spec: {
          automountServiceAccountToken: false,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 65534,
            runAsGroup: 65534,
            fsGroup: 65534,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          containers: [
            {
              name: 'engine',
              image: fixture.image ?? 'localhost/pause:1',
              imagePullPolicy: 'Never',
              ...(fixture.command ? { command: [...fixture.command] } : {}),
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [{ name: 'EMPTY', value: '' }],
              resources: {
                requests: { cpu: '0.05', memory: '16Mi' },
                limits: { cpu: '1000m', memory: fixture.memory ?? '1024Mi' },
              },
              securityContext: {
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                capabilities: { drop: ['ALL'] },
              },
              volumeMounts: [{ name: 'code', mountPath: '/app/workflow', readOnly: true }],
            },
          ],
          volumes: [
            { name: 'code', configMap: { name: set.codeName } },
            { name: 'tmp', emptyDir: { sizeLimit: '64Mi' } },
          ],
          ...fixture.podExtra,
        },
      },
    },
  };
}

/** A rendered enclave: Namespace, RoleBinding, quota, default deny. */
export function enclave(source: EnclaveSource): RenderedEnclave {
  const { name } = source;
  const labels = enclaveLabels(name);
  const meta = (own: string) => ({ name: own, namespace: name, labels });
  const annotations: Record<string, string> = {
    [annotationKeys.quotaPreset]: source.quotaPreset ?? 'medium',
    [annotationKeys.mode]: source.mode ?? 'rwxrwx---',
    ...(source.ownerSub ? { [annotationKeys.ownerSub]: source.ownerSub } : {}),
    ...(source.ownerEmail ? { [annotationKeys.ownerEmail]: source.ownerEmail } : {}),
  };
  const manifests: Manifest[] = [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { ...labels, 'pod-security.kubernetes.io/enforce': 'restricted' },
        annotations,
      },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: meta('tentacular-enclave'),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'tentacular-enclave' },
      subjects: [{ kind: 'ServiceAccount', name: 'tentacular-mcp', namespace: 'tentacular-system' }],
    },
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: meta('tentacular-quota'),
      spec: { hard: { 'requests.cpu': '2000m', 'requests.memory': '4Gi', 'limits.memory': '4096Mi' } },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: meta('default-deny'),
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    },
  ];
  return { name, manifests, specHash: sha(manifests) };
}
