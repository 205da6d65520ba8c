import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject } from '../../constructs/model/json.ts';
import { isApiError } from './api-error.ts';
import type { CallOptions } from './call.ts';
import { groupPath, type KindInfo } from './kinds.ts';
import type { Transport } from './transport.ts';

/** Kinds remembered at most, for each connection. */
const maxKinds = 500;
const remembered = new WeakMap<Transport, Map<string, KindInfo>>();

/** Asks the API server how a kind outside the static table is addressed; `invalid_input` where it has none. */
export async function discoverKind(
  transport: Transport,
  apiVersion: string,
  kind: string,
  options?: CallOptions,
): Promise<KindInfo> {
  const kinds = remembered.get(transport) ?? new Map<string, KindInfo>();
  remembered.set(transport, kinds);
  const found = kinds.get(`${apiVersion}/${kind}`);
  if (found) return found;
  for (const info of await resourcesOf(transport, apiVersion, options)) {
    if (kinds.size >= maxKinds) kinds.clear();
    kinds.set(`${info.apiVersion}/${info.kind}`, info);
  }
  const info = kinds.get(`${apiVersion}/${kind}`);
  if (info) return info;
  throw new TentacularError('invalid_input', `The cluster has no kind ${kind} in ${apiVersion}`, {
    hint: 'Check apiVersion and kind, or install what defines it.',
  });
}

async function resourcesOf(transport: Transport, apiVersion: string, options?: CallOptions): Promise<KindInfo[]> {
  const path = groupPath(apiVersion);
  try {
    const answer = await transport.send(
      { verb: 'other', resource: 'discovery', method: 'GET', path, subject: `discover ${apiVersion}` },
      options,
    );
    const resources = isJsonObject(answer) && Array.isArray(answer.resources) ? answer.resources : [];
    return resources.filter(isJsonObject).flatMap((resource) => {
      const { name, kind, namespaced } = resource;
      // A slash marks a subresource.
      if (typeof name !== 'string' || name.includes('/') || typeof kind !== 'string') return [];
      return [{ apiVersion, kind, plural: name, namespaced: namespaced === true }];
    });
  } catch (error) {
    if (isApiError(error, 404)) return [];
    throw error;
  }
}
