import type { Manifest } from '../../constructs/model/manifest.ts';

/** How a kind is addressed. */
export interface KindInfo {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const table: readonly (readonly [apiVersion: string, kind: string, plural: string, scope: 'namespaced' | 'cluster'])[] =
  [
    ['v1', 'Namespace', 'namespaces', 'cluster'],
    ['v1', 'Node', 'nodes', 'cluster'],
    ['v1', 'ConfigMap', 'configmaps', 'namespaced'],
    ['v1', 'Secret', 'secrets', 'namespaced'],
    ['v1', 'Service', 'services', 'namespaced'],
    ['v1', 'ServiceAccount', 'serviceaccounts', 'namespaced'],
    ['v1', 'ResourceQuota', 'resourcequotas', 'namespaced'],
    ['v1', 'LimitRange', 'limitranges', 'namespaced'],
    ['v1', 'Pod', 'pods', 'namespaced'],
    ['v1', 'Event', 'events', 'namespaced'],
    ['apps/v1', 'Deployment', 'deployments', 'namespaced'],
    ['apps/v1', 'ReplicaSet', 'replicasets', 'namespaced'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', 'namespaced'],
    ['rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', 'namespaced'],
    ['rbac.authorization.k8s.io/v1', 'Role', 'roles', 'namespaced'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', 'cluster'],
    ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding', 'clusterrolebindings', 'cluster'],
    ['coordination.k8s.io/v1', 'Lease', 'leases', 'namespaced'],
    ['node.k8s.io/v1', 'RuntimeClass', 'runtimeclasses', 'cluster'],
    ['storage.k8s.io/v1', 'StorageClass', 'storageclasses', 'cluster'],
    ['batch/v1', 'Job', 'jobs', 'namespaced'],
    ['authorization.k8s.io/v1', 'SelfSubjectAccessReview', 'selfsubjectaccessreviews', 'cluster'],
  ];

const known: ReadonlyMap<string, KindInfo> = new Map(
  table.map(([apiVersion, kind, plural, scope]) => [
    `${apiVersion}/${kind}`,
    { apiVersion, kind, plural, namespaced: scope === 'namespaced' },
  ]),
);

/** Everything known about a kind without asking the API server. */
export function knownKind(apiVersion: string, kind: string): KindInfo | undefined {
  return known.get(`${apiVersion}/${kind}`);
}

/** `deployments.apps`, `configmaps`: how a resource is named in metrics and in RBAC. */
export function resourceName(info: KindInfo): string {
  const group = info.apiVersion.includes('/') ? info.apiVersion.split('/', 1)[0] : undefined;
  return group ? `${info.plural}.${group}` : info.plural;
}

/** `/api/v1` or `/apis/<group>/<version>`. */
export function groupPath(apiVersion: string): string {
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** Path of a collection, or of one object in it where a name is given. Every part is encoded. */
export function resourcePath(info: KindInfo, namespace: string | undefined, name?: string): string {
  const scope = info.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  const object = name === undefined ? '' : `/${encodeURIComponent(name)}`;
  return `${groupPath(info.apiVersion)}${scope}/${info.plural}${object}`;
}

/** `Kind.apiVersion/namespace/name`, unambiguous: the key of an object in a map. */
export function objectKey(object: Pick<Manifest, 'apiVersion' | 'kind' | 'metadata'>): string {
  return `${object.apiVersion}/${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}
