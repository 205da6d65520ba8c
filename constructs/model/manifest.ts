import type { JsonObject, JsonValue } from './json.ts';

/** The `metadata` of a Kubernetes object, as far as this project reads or writes it. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  [key: string]: JsonValue | Record<string, string> | undefined;
}

/** One Kubernetes object as plain JSON: what constructs render, the server applies and the cluster returns. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec?: JsonObject;
  data?: JsonObject;
  status?: JsonObject;
  [key: string]: JsonValue | ObjectMeta | undefined;
}

/** `Kind/namespace/name` (or `Kind/name` without a namespace): how an object is always printed. */
export function describeObject(object: Pick<Manifest, 'kind' | 'metadata'>): string {
  const { name, namespace } = object.metadata;
  return namespace ? `${object.kind}/${namespace}/${name}` : `${object.kind}/${name}`;
}
