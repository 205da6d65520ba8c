import { isJsonObject } from '../model/json.ts';
import type { Manifest } from '../model/manifest.ts';
import type { ApiObject } from './l1.ts';

/** An object of the construct tree as plain JSON. */
export function toManifest(object: ApiObject): Manifest {
  const json: unknown = object.toJson();
  if (!isManifest(json)) throw new TypeError(`${object.node.path} renders to no Kubernetes object`);
  return json;
}

function isManifest(value: unknown): value is Manifest {
  return (
    isJsonObject(value) &&
    typeof value.apiVersion === 'string' &&
    typeof value.kind === 'string' &&
    isJsonObject(value.metadata)
  );
}
