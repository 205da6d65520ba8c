import { annotationKeys } from '../../constructs/model/annotations.ts';
import type { JsonObject, JsonValue } from '../../constructs/model/json.ts';
import { canonicalJson, isJsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isFieldConflict, isStale } from './api-error.ts';
import { type Comparison, needsWrite, type OnConflict } from './apply-object.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import type { LiveSet } from './live-set.ts';
import { withLiveStamps } from './stamps.ts';

/**
 * Asks the API server about differences that should not be: where the live Deployment was rendered from the very same
 * set, what differs is either drift, or only written otherwise (a default, a number's notation, an admission plugin).
 * A dry run that gives exactly what is live says that nothing differs. Costs one request for such an object, none else.
 */
export async function settle(
  context: Context,
  compared: readonly Comparison[],
  set: { readonly live: LiveSet; readonly specHash: string; readonly onConflict: OnConflict },
  call: CallOptions,
): Promise<readonly Comparison[]> {
  const applied = set.live.deployment?.metadata.annotations?.[annotationKeys.specHash];
  if (applied !== set.specHash) return compared;
  return Promise.all(
    compared.map(async (comparison) => {
      const { desired, live } = comparison;
      if (!live || !needsWrite(comparison)) return comparison;
      try {
        const result = await dryRunOf(context, { desired, live }, set.onConflict, call);
        return sameState(result, live) ? { ...comparison, differences: [] } : comparison;
      } catch (error) {
        // It has moved, or is owned by others: then it differs, and the write deals with it.
        if (isStale(error) || isFieldConflict(error)) return comparison;
        throw error;
      }
    }),
  );
}

/** What the live object would become. Pinned to its uid only: its version moves with every look of a controller. */
export async function dryRunOf(
  { client, manager }: Pick<Context, 'client' | 'manager'>,
  { desired, live }: { readonly desired: Manifest; readonly live: Manifest },
  onConflict: OnConflict,
  call: CallOptions,
): Promise<Manifest> {
  const stamped = withLiveStamps(desired, live);
  const { uid } = live.metadata;
  const metadata = { ...stamped.metadata, ...(uid ? { uid } : {}) };
  return client.apply({ ...stamped, metadata }, { ...call, dryRun: true, force: onConflict === 'take', manager });
}

/** Equal in all but bookkeeping; who owns which field counts, when it was written does not. */
function sameState(a: Manifest, b: Manifest): boolean {
  return canonicalJson(stateOf(a)) === canonicalJson(stateOf(b));
}

function stateOf(object: Manifest): JsonObject {
  const { resourceVersion: _version, generation: _generation, managedFields, ...metadata } = object.metadata;
  const { status: _status, ...rest } = object;
  const entries = (Array.isArray(managedFields) ? managedFields : []).filter(isJsonObject);
  const owners = entries.filter((e) => e.subresource !== 'status').map(withoutTime);
  return { ...(rest as { [key: string]: JsonValue }), metadata: { ...(metadata as JsonObject), owners } };
}

function withoutTime(entry: JsonObject): JsonObject {
  const { time: _time, ...rest } = entry;
  return rest;
}
