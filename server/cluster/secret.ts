import { canonicalJson, isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { tentacleLabels } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { RenderedTentacle } from '../../constructs/source.ts';

/** By service: an object replaces the key, null removes it, absent leaves it untouched. */
export type SecretPatch = Readonly<Record<string, JsonObject | null>>;

/** What becomes of a service's key; values are never told. */
export type SecretChange = 'same' | 'changed' | 'added' | 'removed';

export function secretName(tentacle: string): string {
  return `${tentacle}-secrets`;
}

function dataOf(secret: Manifest | undefined): Record<string, string> {
  const data = isJsonObject(secret?.data) ? secret.data : {};
  return Object.fromEntries(
    Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Keys that are live, sorted. */
export function secretServices(secret: Manifest | undefined): string[] {
  return Object.keys(dataOf(secret)).sort();
}

function encode(value: JsonObject): string {
  return Buffer.from(canonicalJson(value)).toString('base64');
}

/**
 * The Secret as it is to be: live keys stay, given ones are replaced, null ones go. Server-side apply deletes what
 * it no longer sends, so all that stays is sent. Undefined where there is nothing to hold and nothing was there.
 */
export function mergeSecret(
  rendered: Pick<RenderedTentacle, 'enclave' | 'name' | 'version'>,
  live: Manifest | undefined,
  patch: SecretPatch,
): Manifest | undefined {
  const data = dataOf(live);
  for (const [service, value] of Object.entries(patch)) {
    if (value === null) delete data[service];
    else if (!sameJson(data[service], value)) data[service] = encode(value);
  }
  if (!live && Object.keys(data).length === 0) return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName(rendered.name),
      namespace: rendered.enclave,
      labels: tentacleLabels(rendered.enclave, rendered.name, rendered.version),
    },
    type: 'Opaque',
    data,
  };
}

/** True where the stored text already is this value. */
function sameJson(stored: string | undefined, value: JsonObject): boolean {
  return stored === encode(value);
}

/** Per service what a patch would do; without a value. */
export function describeSecretPatch(live: Manifest | undefined, patch: SecretPatch): Record<string, SecretChange> {
  const data = dataOf(live);
  const changes: Record<string, SecretChange> = {};
  for (const service of Object.keys(data)) changes[service] = 'same';
  for (const [service, value] of Object.entries(patch)) {
    const stored = data[service];
    if (value === null) {
      if (stored !== undefined) changes[service] = 'removed';
    } else if (stored === undefined) changes[service] = 'added';
    else changes[service] = sameJson(stored, value) ? 'same' : 'changed';
  }
  return changes;
}
