import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';

/** What the fake API server knows of the shapes of objects: keyed lists, whole values, defaults, notation. */

/** Every field name that may stand anywhere in the kinds that the fake serves. */
const knownFields = new Set(
  `apiVersion kind metadata spec status data binaryData immutable type stringData subjects roleRef message reason count
  name namespace labels annotations uid resourceVersion generation creationTimestamp deletionTimestamp managedFields finalizers ownerReferences
  involvedObject firstTimestamp lastTimestamp eventTime series source
  replicas selector template strategy revisionHistoryLimit progressDeadlineSeconds minReadySeconds matchLabels matchExpressions rollingUpdate maxSurge maxUnavailable
  containers initContainers volumes automountServiceAccountToken serviceAccountName securityContext restartPolicy nodeSelector tolerations runtimeClassName
  imagePullSecrets terminationGracePeriodSeconds hostNetwork dnsPolicy enableServiceLinks nodeName
  image imagePullPolicy command args env ports resources volumeMounts startupProbe readinessProbe livenessProbe value valueFrom
  containerPort protocol hostPort requests limits mountPath readOnly subPath configMap secret emptyDir items key path mode optional secretName sizeLimit medium projected sources defaultMode
  runAsNonRoot runAsUser runAsGroup fsGroup seccompProfile allowPrivilegeEscalation readOnlyRootFilesystem capabilities drop add privileged localhostProfile
  httpGet scheme periodSeconds failureThreshold timeoutSeconds initialDelaySeconds successThreshold fieldRef fieldPath
  port targetPort nodePort clusterIP clusterIPs sessionAffinity ipFamilies
  podSelector policyTypes ingress egress to from namespaceSelector ipBlock cidr except endPort hard scopes
  apiGroup default defaultRequest max min operator effect tolerationSeconds`.split(/\s+/),
);

/** Maps whose keys are data, not fields. */
const freeMaps = new Set(
  'labels annotations data binaryData stringData matchLabels limits requests hard nodeSelector default defaultRequest'.split(
    ' ',
  ),
);

/** Values that are owned and replaced as a whole. */
const wholeValues = new Set(
  'podSelector ingress egress subjects roleRef nodeSelector policyTypes drop add command args'.split(' '),
);

/** Lists whose items are told apart by keys. */
export function listKeysOf(path: readonly string[]): readonly string[] | undefined {
  const field = path.at(-1) ?? '';
  if (['f:containers', 'f:initContainers', 'f:volumes', 'f:env', 'f:imagePullSecrets'].includes(field)) return ['name'];
  if (field === 'f:volumeMounts') return ['mountPath'];
  if (field !== 'f:ports') return undefined;
  return path.some((step) => step === 'f:containers') ? ['containerPort', 'protocol'] : ['port', 'protocol'];
}

export function isWholeValue(path: readonly string[]): boolean {
  const field = (path.at(-1) ?? '').slice(2);
  return wholeValues.has(field) || (field === 'selector' && path.length === 2);
}

/** The default of a key field that an item leaves out. */
export function keyDefault(key: string): JsonValue {
  return key === 'protocol' ? 'TCP' : '';
}

/** Path of the first field that no schema declares, as the API server writes it; undefined where all are known. */
export function unknownField(value: JsonValue, path = ''): string | undefined {
  if (Array.isArray(value)) return first(value.map((item) => unknownField(item, path)));
  if (!isJsonObject(value)) return undefined;
  return first(
    Object.entries(value).map(([field, inner]) => {
      if (!knownFields.has(field)) return `${path}.${field}`;
      if (inner === undefined || freeMaps.has(field)) return undefined;
      return field === 'selector' && !isJsonObject(inner) ? undefined : unknownFieldIn(field, inner, path);
    }),
  );
}

function unknownFieldIn(field: string, value: JsonValue, path: string): string | undefined {
  // A Service's selector is a map of labels, a Deployment's one of fields.
  if (field === 'selector' && isJsonObject(value) && !('matchLabels' in value)) return undefined;
  return unknownField(value, `${path}.${field}`);
}

function first(found: readonly (string | undefined)[]): string | undefined {
  return found.find((path) => path !== undefined);
}

const notation: Readonly<Record<string, string>> = {
  '1000m': '1',
  '1024Mi': '1Gi',
  '0.05': '50m',
  '2000m': '2',
  '4096Mi': '4Gi',
};
const quantityMaps = new Set(['limits', 'requests', 'hard']);

/** The object as a typed API server would store it: defaults in, empty values out, quantities in canonical form. */
export function normalize(object: JsonObject): JsonObject {
  return tidy(object, '') as JsonObject;
}

function tidy(value: JsonValue, field: string): JsonValue {
  if (Array.isArray(value)) return value.map((item) => withDefaults(tidy(item, field), field));
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, inner]): [string, JsonValue][] => {
    if (inner === undefined || inner === null) return [];
    if (quantityMaps.has(field) && typeof inner === 'string') return [[key, notation[inner] ?? inner]];
    if ((key === 'value' && inner === '') || (Array.isArray(inner) && inner.length === 0)) return [];
    if (key === 'hostNetwork' && inner === false) return [];
    return [[key, tidy(inner, key)]];
  });
  return Object.fromEntries(entries);
}

function withDefaults(item: JsonValue, list: string): JsonValue {
  return list === 'ports' && isJsonObject(item) ? { ...item, protocol: item.protocol ?? 'TCP' } : item;
}
