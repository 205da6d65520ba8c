import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions } from './call.ts';
import type { Context } from './context.ts';
import { numberIn, objectIn, textIn } from './pods.ts';

/** One event, newest first in lists. `message` is untrusted text, sanitized and capped. */
export interface EventInfo {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  /** `Kind/name` of the object that it is about. */
  readonly object: string;
  readonly count: number;
  /** ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

const maxEvents = 10_000;
const defaultLimit = 100;
/** Letters of the suffixes that Kubernetes generates. */
const suffix = '[bcdfghjklmnpqrstvwxz2456789]';

/**
 * True for an object of a tentacle by kind and name: events outlive their objects, so nothing else is left to tell
 * by. A ReplicaSet is `<name>-<hash>`, a pod `<name>-<hash>-<five>`.
 */
export function isNamedAfter(tentacle: string, kind: string, name: string): boolean {
  if (kind === 'Pod') return new RegExp(`^${tentacle}-${suffix}{5,10}-${suffix}{5}$`).test(name);
  if (kind === 'ReplicaSet') return new RegExp(`^${tentacle}-${suffix}{5,10}$`).test(name);
  return name === tentacle;
}

function eventInfo(event: Manifest): EventInfo & { readonly about: { readonly kind: string; readonly name: string } } {
  const about = objectIn(event, 'involvedObject');
  const series = objectIn(event, 'series');
  const kind = textIn(about, 'kind') ?? '';
  const name = textIn(about, 'name') ?? '';
  const read = (field: string) => textIn(event, field);
  const created = event.metadata.creationTimestamp ?? '';
  const first = read('firstTimestamp') ?? read('eventTime') ?? created;
  return {
    about: { kind, name },
    type: read('type') ?? 'Normal',
    reason: read('reason') ?? '',
    message: read('message') ?? '',
    object: `${kind}/${name}`,
    count: Math.max(1, numberIn(series, 'count'), numberIn(event, 'count')),
    firstSeen: first,
    lastSeen: textIn(series, 'lastObservedTime') ?? read('lastTimestamp') ?? first,
  };
}

/** Events of an enclave, newest first; of the objects of one tentacle, or of some, where named. */
export async function listEvents(
  { client }: Pick<Context, 'client'>,
  enclave: string,
  options: { readonly names?: readonly string[]; readonly limit?: number },
  call: CallOptions,
): Promise<EventInfo[]> {
  const events = await client.list({ apiVersion: 'v1', kind: 'Event', namespace: enclave, maxItems: maxEvents }, call);
  const { names, limit = defaultLimit } = options;
  return events
    .map(eventInfo)
    .filter(({ about }) => names === undefined || names.some((name) => isNamedAfter(name, about.kind, about.name)))
    .sort((a, b) => Date.parse(b.lastSeen) - Date.parse(a.lastSeen) || (a.object < b.object ? -1 : 1))
    .slice(0, limit)
    .map(({ about: _about, ...event }) => event);
}
