import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { renderSecret } from '../../constructs/render.ts';
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

/**
 * The Secret as it is to be: live keys stay, given ones are replaced, null ones go. Server-side apply deletes what
 * it no longer sends, so all that stays is sent. Undefined where there is nothing to hold and nothing was there.
 */
export function mergeSecret(
  rendered: Pick<RenderedTentacle, 'enclave' | 'name' | 'version'>,
  live: Manifest | undefined,
  patch: SecretPatch,
): Manifest | undefined {
  const { secret, given } = renderGiven(rendered, patch);
  const stay = Object.entries(dataOf(live)).filter(([service]) => patch[service] === undefined);
  const data = { ...Object.fromEntries(stay), ...given };
  if (!live && Object.keys(data).length === 0) return undefined;
  return { ...secret, data };
}

function renderGiven(
  { enclave, name, version }: Pick<RenderedTentacle, 'enclave' | 'name' | 'version'>,
  patch: SecretPatch,
) {
  const values = Object.entries(patch).filter((entry): entry is [string, JsonObject] => entry[1] !== null);
  const secret = renderSecret(enclave, name, version, Object.fromEntries(values));
  return { secret, given: dataOf(secret) };
}

/** Per service what a patch would do; without a value. */
export function describeSecretPatch(
  rendered: Pick<RenderedTentacle, 'enclave' | 'name' | 'version'>,
  live: Manifest | undefined,
  patch: SecretPatch,
): Record<string, SecretChange> {
  const data = dataOf(live);
  const { given } = renderGiven(rendered, patch);
  const changes: Record<string, SecretChange> = {};
  for (const service of Object.keys(data)) changes[service] = patch[service] === null ? 'removed' : 'same';
  for (const [service, encoded] of Object.entries(given)) {
    const stored = data[service];
    changes[service] = stored === undefined ? 'added' : stored === encoded ? 'same' : 'changed';
  }
  return changes;
}
