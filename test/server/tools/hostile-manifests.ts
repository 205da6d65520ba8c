import { isJsonObject, type JsonObject, type JsonValue } from '../../../constructs/model/json.ts';
import { childPath } from '../../../constructs/workflow/yaml-source.ts';
import { oneNodeWorkflow } from '../../support/workflows.ts';

/** A tentacle with all that a set can hold: a dependency with credentials, and a sidecar. */
export function richWorkflow(name: string) {
  const auth = { type: 'bearer', secret: 'api.token' };
  return oneNodeWorkflow(name, 'return {};', {
    contract: { version: '1', dependencies: { api: { protocol: 'https', host: 'api.example.com', port: 443, auth } } },
    sidecars: [{ name: 'side', image: 'localhost/pause:1', port: 9000 }],
  });
}

/** One hostile change of a good set, and how it is told: by object and field. */
export interface HostileChange {
  readonly what: string;
  readonly change: (set: JsonObject[]) => void;
  /** Kind of the object that is named. */
  readonly kind: string;
  /** Path of the field that is named. */
  readonly field: string;
}

type Path = readonly (string | number)[];

/** Writes a value into the first object of a kind; told as the field that it is, or as its parent that is new. */
function row(what: string, kind: string, at: Path, value: JsonValue, told: Path = at): HostileChange {
  return {
    what,
    kind,
    field: told.reduce<string>((path, step) => childPath(path, step), ''),
    change: (set) => {
      let parent: JsonValue | undefined = objectOf(set, kind);
      for (const step of at.slice(0, -1)) {
        if (isJsonObject(parent) && parent[step] === undefined) parent[step] = {};
        parent = child(parent, step);
      }
      const last = at.at(-1) ?? '';
      if (Array.isArray(parent) && typeof last === 'number') parent[last] = value;
      else if (isJsonObject(parent)) parent[last] = value;
      else throw new Error(`${kind} has nothing at ${at.join('.')}`);
    },
  };
}

function added(what: string, object: JsonObject, field: string): HostileChange {
  return { what, kind: String(object.kind), field, change: (set) => void set.push(object) };
}

export function objectOf(set: readonly JsonObject[], kind: string): JsonObject {
  const found = set.find((object) => object.kind === kind);
  if (!found) throw new Error(`no ${kind} was rendered`);
  return found;
}

function child(parent: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (Array.isArray(parent)) return parent[Number(step)];
  return isJsonObject(parent) ? parent[step] : undefined;
}

const pod: Path = ['spec', 'template', 'spec'];
const engine: Path = [...pod, 'containers', 0];
const podMeta: Path = ['spec', 'template', 'metadata'];
const container = { name: 'x', image: 'evil.example/x:1' };
const own = (key: string) => `tentacular.io/${key}`;
const metadata = (name: string, enclave: string) => ({ name, namespace: enclave });

/** The pod's own rights, and what it may reach on its node. */
const escapes: readonly HostileChange[] = [
  ...(['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const).map((field) =>
    row(field, 'Deployment', [...pod, field], true),
  ),
  row('hostUsers', 'Deployment', [...pod, 'hostUsers'], true),
  row('a hostPath', 'Deployment', [...pod, 'volumes', 4], { name: 'h', hostPath: { path: '/' } }),
  row('a hostPath in place of a volume', 'Deployment', [...pod, 'volumes', 2, 'hostPath'], { path: '/' }),
  row('a mount of it', 'Deployment', [...engine, 'volumeMounts', 3], { name: 'h', mountPath: '/h' }),
  row('mount propagation', 'Deployment', [...engine, 'volumeMounts', 2, 'mountPropagation'], 'Bidirectional'),
  row('a writable code mount', 'Deployment', [...engine, 'volumeMounts', 0, 'readOnly'], false),
  row('a hostPort', 'Deployment', [...engine, 'ports', 0, 'hostPort'], 8080),
  row('a hostIP', 'Deployment', [...engine, 'ports', 0, 'hostIP'], '0.0.0.0'),
  row('privileged', 'Deployment', [...engine, 'securityContext', 'privileged'], true),
  row('privileged in a sidecar', 'Deployment', [...pod, 'containers', 1, 'securityContext', 'privileged'], true),
  row('privilege escalation', 'Deployment', [...engine, 'securityContext', 'allowPrivilegeEscalation'], true),
  row('an added capability', 'Deployment', [...engine, 'securityContext', 'capabilities', 'add'], ['SYS_ADMIN']),
  row('capabilities kept', 'Deployment', [...engine, 'securityContext', 'capabilities', 'drop', 0], 'NET_RAW'),
  row('procMount', 'Deployment', [...engine, 'securityContext', 'procMount'], 'Unmasked'),
  row('seLinuxOptions', 'Deployment', [...engine, 'securityContext', 'seLinuxOptions'], { type: 'spc_t' }),
  row('a writable root', 'Deployment', [...engine, 'securityContext', 'readOnlyRootFilesystem'], false),
  row('root', 'Deployment', [...engine, 'securityContext', 'runAsUser'], 0),
  row('root for the pod', 'Deployment', [...pod, 'securityContext', 'runAsNonRoot'], false),
  row('seccomp off', 'Deployment', [...pod, 'securityContext', 'seccompProfile', 'type'], 'Unconfined'),
  row('AppArmor off', 'Deployment', [...pod, 'securityContext', 'appArmorProfile'], { type: 'Unconfined' }),
  row('sysctls', 'Deployment', [...pod, 'securityContext', 'sysctls'], [{ name: 'kernel.msgmax', value: '1' }]),
  row('supplemental groups', 'Deployment', [...pod, 'securityContext', 'supplementalGroups'], [0]),
  row('another runtime', 'Deployment', [...pod, 'runtimeClassName'], 'privileged'),
  row('a node', 'Deployment', [...pod, 'nodeName'], 'control-plane'),
  row('a nodeSelector', 'Deployment', [...pod, 'nodeSelector'], { role: 'gpu' }),
  row('affinity', 'Deployment', [...pod, 'affinity'], { nodeAffinity: {} }),
  row('tolerations', 'Deployment', [...pod, 'tolerations'], [{ operator: 'Exists' }]),
  row('a priority class', 'Deployment', [...pod, 'priorityClassName'], 'system-node-critical'),
  row('another scheduler', 'Deployment', [...pod, 'schedulerName'], 'mine'),
  row('host aliases', 'Deployment', [...pod, 'hostAliases'], [{ ip: '10.0.0.1', hostnames: ['api.example.com'] }]),
  row('its own DNS', 'Deployment', [...pod, 'dnsPolicy'], 'None'),
  row('initContainers', 'Deployment', [...pod, 'initContainers'], [container]),
  row('ephemeralContainers', 'Deployment', [...pod, 'ephemeralContainers'], [container]),
  row('one more container', 'Deployment', [...pod, 'containers', 2], container),
  row('another image', 'Deployment', [...engine, 'image'], 'evil.example/engine:1'),
  row('another image of the sidecar', 'Deployment', [...pod, 'containers', 1, 'image'], 'evil.example/x:1'),
  row('wider engine flags', 'Deployment', [...engine, 'command', 3], '--allow-net'),
  row('one more flag', 'Deployment', [...engine, 'command', 13], '--allow-run'),
  row('arguments', 'Deployment', [...engine, 'args'], ['--allow-all']),
  row('a lifecycle hook', 'Deployment', [...engine, 'lifecycle'], { postStart: { exec: { command: ['sh'] } } }),
  row('a probe that runs something', 'Deployment', [...engine, 'livenessProbe', 'exec'], { command: ['sh'] }),
  row('more memory', 'Deployment', [...engine, 'resources', 'limits', 'memory'], '64Gi'),
  row('a device', 'Deployment', [...engine, 'resources', 'limits', 'nvidia.com/gpu'], '1'),
];

/** What belongs to others, by its name. */
const borrowed: readonly HostileChange[] = [
  row('another ServiceAccount', 'Deployment', [...pod, 'serviceAccountName'], 'default'),
  row('the older name of that field', 'Deployment', [...pod, 'serviceAccount'], 'default'),
  row('a mounted token', 'Deployment', [...pod, 'automountServiceAccountToken'], true),
  row('a Secret of others as a volume', 'Deployment', [...pod, 'volumes', 4], {
    name: 's',
    secret: { secretName: 'other-secrets' },
  }),
  row(
    'a Secret of others in the projected volume',
    'Deployment',
    [...pod, 'volumes', 1, 'projected', 'sources', 0, 'secret', 'name'],
    'other-secrets',
  ),
  row('a projected token', 'Deployment', [...pod, 'volumes', 1, 'projected', 'sources', 1], {
    serviceAccountToken: { path: 'token' },
  }),
  row('a CSI volume', 'Deployment', [...pod, 'volumes', 4], { name: 'c', csi: { driver: 'secrets-store' } }),
  row('a claim', 'Deployment', [...pod, 'volumes', 4], { name: 'p', persistentVolumeClaim: { claimName: 'other' } }),
  row('NFS', 'Deployment', [...pod, 'volumes', 4], { name: 'n', nfs: { server: '10.0.0.1', path: '/' } }),
  row('code of another tentacle', 'Deployment', [...pod, 'volumes', 0, 'configMap', 'name'], 'other-code-0123456789'),
  row('another file of the code', 'Deployment', [...pod, 'volumes', 0, 'configMap', 'items', 0, 'path'], '../x'),
  row('envFrom', 'Deployment', [...engine, 'envFrom'], [{ secretRef: { name: 'other-secrets' } }]),
  row('env from a Secret', 'Deployment', [...engine, 'env', 5], {
    name: 'X',
    valueFrom: { secretKeyRef: { name: 'other-secrets', key: 'k' } },
  }),
  row('an env variable', 'Deployment', [...engine, 'env', 5], { name: 'LD_PRELOAD', value: '/tmp/x.so' }),
  row('another enclave in the env', 'Deployment', [...engine, 'env', 0, 'value'], 'team-b'),
  row('imagePullSecrets', 'Deployment', [...pod, 'imagePullSecrets'], [{ name: 'other-registry' }]),
];

/** What the set says about itself. */
const forged: readonly HostileChange[] = [
  ...['owner-sub', 'owner-email', 'owner-name', 'auth-provider', 'created-at', 'mode', 'revision'].map((key) =>
    row(`a forged ${key}`, 'Deployment', ['metadata', 'annotations', own(key)], 'sub-of-eve'),
  ),
  row('a forged spec-hash', 'Deployment', ['metadata', 'annotations', own('spec-hash')], 'f'.repeat(64)),
  row('a description that the workflow has not', 'Deployment', ['metadata', 'annotations', own('description')], 'x'),
  row(
    'a schedule that the workflow has not',
    'Deployment',
    ['metadata', 'annotations', own('cron-schedule')],
    '* * * * *',
  ),
  row('an annotation of others', 'Deployment', ['metadata', 'annotations', 'sidecar.istio.io/inject'], 'true'),
  row('an owner on the pods', 'Deployment', [...podMeta, 'annotations'], { [own('owner-sub')]: 'sub-of-eve' }),
  row('an owner on the Service', 'Service', ['metadata', 'annotations', own('owner-sub')], 'sub-of-eve', [
    'metadata',
    'annotations',
  ]),
  row(
    'the members of the enclave',
    'Deployment',
    ['metadata', 'annotations', own('enclave-members')],
    'eve@example.com',
  ),
  row('the enclave label of another', 'Service', ['metadata', 'labels', own('enclave')], 'team-b'),
  row('the tentacle label of another', 'Service', ['metadata', 'labels', own('tentacle')], 'other'),
  row('the labels of another on the pods', 'Deployment', [...podMeta, 'labels', own('tentacle')], 'other'),
  row('a selector over others', 'Deployment', ['spec', 'selector', 'matchLabels', own('tentacle')], 'other'),
  row('a managed-by of others', 'NetworkPolicy', ['metadata', 'labels', 'app.kubernetes.io/managed-by'], 'helm'),
  row('a label of its own', 'Deployment', ['metadata', 'labels', 'x'], 'y'),
  row('a retired label', 'Deployment', ['metadata', 'labels', 'tentacular.dev/owner'], 'eve'),
  row('an ownerReference', 'Deployment', ['metadata', 'ownerReferences'], [{ kind: 'Node', name: 'n', uid: 'u' }]),
  row('a finalizer', 'Service', ['metadata', 'finalizers'], ['example.com/never']),
  row('managedFields', 'Deployment', ['metadata', 'managedFields'], [{ manager: 'argocd', operation: 'Apply' }]),
  row('a uid', 'Deployment', ['metadata', 'uid'], '0'),
  row('a resourceVersion', 'Deployment', ['metadata', 'resourceVersion'], '1'),
  row('a generateName', 'Deployment', ['metadata', 'generateName'], 'x-'),
  row('a deletionTimestamp', 'Service', ['metadata', 'deletionTimestamp'], '2026-01-01T00:00:00Z'),
  row('another namespace', 'Service', ['metadata', 'namespace'], 'kube-system'),
  row('another apiVersion', 'NetworkPolicy', ['apiVersion'], 'crd.projectcalico.org/v1'),
  row('status', 'Deployment', ['status'], { readyReplicas: 1 }),
  row('an unknown field', 'Deployment', ['spec', 'backdoor'], true),
  row('a field called constructor', 'Deployment', ['spec', 'constructor'], { prototype: { polluted: true } }),
  row('a field called toString', 'Deployment', ['metadata', 'annotations', 'toString'], 'x'),
  row('null where there is something', 'NetworkPolicy', ['spec', 'ingress'], null),
  row('data beside the code', 'ConfigMap', ['binaryData'], { x: 'eA==' }),
  row('code that may change', 'ConfigMap', ['immutable'], false),
  row('a name that spans lines', 'Service', ['metadata', 'labels', 'a\n- Deployment/x: fine'], 'x'),
];

/** Ways into the network and out of it. */
const opened: readonly HostileChange[] = [
  ...['NodePort', 'LoadBalancer', 'ExternalName'].map((type) => row(`a ${type}`, 'Service', ['spec', 'type'], type)),
  row('externalIPs', 'Service', ['spec', 'externalIPs'], ['192.0.2.1']),
  row('an externalName', 'Service', ['spec', 'externalName'], 'evil.example.com'),
  row('a nodePort', 'Service', ['spec', 'ports', 0, 'nodePort'], 30081),
  row('one more port', 'Service', ['spec', 'ports', 1], { port: 22 }),
  row('another target', 'Service', ['spec', 'ports', 0, 'targetPort'], 9000),
  row('a Service over the pods of others', 'Service', ['spec', 'selector', own('tentacle')], 'other'),
  row('egress to everything', 'NetworkPolicy', ['spec', 'egress', 2], {}),
  row('egress to any port', 'NetworkPolicy', ['spec', 'egress', 1, 'ports', 0], {}, [
    'spec',
    'egress',
    1,
    'ports',
    0,
    'port',
  ]),
  row(
    'egress to private addresses',
    'NetworkPolicy',
    ['spec', 'egress', 1, 'to', 0, 'ipBlock', 'except'],
    [],
    ['spec', 'egress', 1, 'to', 0, 'ipBlock', 'except', 0],
  ),
  row(
    'ingress from everywhere',
    'NetworkPolicy',
    ['spec', 'ingress', 0, 'from'],
    [{ namespaceSelector: {} }],
    ['spec', 'ingress', 0, 'from', 0, 'podSelector'],
  ),
  row('one more ingress', 'NetworkPolicy', ['spec', 'ingress', 1], {}),
  row('a policy for ingress alone', 'NetworkPolicy', ['spec', 'policyTypes'], ['Ingress'], ['spec', 'policyTypes', 1]),
  row('a policy over other pods', 'NetworkPolicy', ['spec', 'podSelector'], {}, ['spec', 'podSelector', 'matchLabels']),
];

/** Objects that are no part of the set. */
export function strangers(enclave: string): readonly HostileChange[] {
  const rbac = 'rbac.authorization.k8s.io/v1';
  const kinds: readonly (readonly [string, string])[] = [
    ['v1', 'Namespace'],
    ['v1', 'Pod'],
    ['v1', 'Secret'],
    ['v1', 'ServiceAccount'],
    ['v1', 'PersistentVolume'],
    ['v1', 'ResourceQuota'],
    [rbac, 'Role'],
    [rbac, 'RoleBinding'],
    [rbac, 'ClusterRoleBinding'],
    ['batch/v1', 'Job'],
    ['batch/v1', 'CronJob'],
    ['apps/v1', 'DaemonSet'],
    ['apps/v1', 'StatefulSet'],
    ['networking.k8s.io/v1', 'Ingress'],
    ['admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
    ['example.com/v1', 'Anything'],
    ['v1', 'List'],
  ];
  return [
    ...kinds.map(([apiVersion, kind]) =>
      added(`a ${kind}`, { apiVersion, kind, metadata: metadata('evil', enclave), spec: {}, items: [] }, 'kind'),
    ),
    ...(['Service', 'NetworkPolicy'] as const).map((kind) =>
      added(`one more ${kind}`, { apiVersion: 'v1', kind, metadata: metadata('evil', enclave) }, 'metadata.name'),
    ),
    added(
      'a policy over the whole enclave',
      {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: metadata('default-deny', enclave),
        spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{}] },
      },
      'metadata.name',
    ),
    added(
      'a ConfigMap beside the code',
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('other-runs', enclave), data: {} },
      'metadata.name',
    ),
    {
      what: 'an object twice',
      kind: 'Service',
      field: 'metadata.name',
      change: (set) => void set.push(structuredClone(objectOf(set, 'Service'))),
    },
    {
      what: 'a policy that is missing',
      kind: 'NetworkPolicy',
      field: '',
      change: (set) => void set.splice(set.indexOf(objectOf(set, 'NetworkPolicy')), 1),
    },
  ];
}

/** Every change of a field that an attacker would try; the exhaustive test beside it does all others. */
export const hostileChanges: readonly HostileChange[] = [...escapes, ...borrowed, ...forged, ...opened];
