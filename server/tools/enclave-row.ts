import { annotationKeys } from '../../constructs/model/annotations.ts';
import { isJsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { maxMembersLength, parseMembers } from '../../constructs/model/members.ts';
import { presetOf } from '../../constructs/model/mode.ts';
import type { ToolOutput } from '../api/tools.ts';
import { enclaveModeOf, isFrozen } from '../authz/scope.ts';
import { annotationsOf } from './admission.ts';
import { hasRetiredAnnotations } from './ownership.ts';
import { rowsWithin } from './page.ts';
import { cleanText, textLimits } from './untrusted.ts';

/** Longest address that a token can prove, in characters. */
const longestMember = 254;

type EnclaveRow = ToolOutput<'enclave_list'>['enclaves'][number];

/** A row from the Namespace alone; every annotation is untrusted. */
export function enclaveRow(namespace: Manifest): EnclaveRow {
  const annotations = annotationsOf(namespace);
  const text = (key: keyof typeof annotationKeys) => {
    const value = annotations[annotationKeys[key]];
    return value === undefined || value === '' ? undefined : cleanText(value, textLimits.field);
  };
  const mode = enclaveModeOf(annotations);
  const given = {
    preset: presetOf(mode),
    default_mode: text('defaultMode'),
    quota_preset: text('quotaPreset'),
    platform: text('platform'),
    channel_id: text('channelId'),
    channel_name: text('channelName'),
    created_at: text('createdAt') ?? namespace.metadata.creationTimestamp,
  };
  const owner = { sub: text('ownerSub'), email: text('ownerEmail'), name: text('ownerName') };
  const members = membersIn(namespace);
  // A longer list was written by other means than our tools: it may not cost anybody the reply that it is in.
  const shown = rowsWithin(members, maxMembersLength);
  return {
    name: namespace.metadata.name,
    namespace: namespace.metadata.name,
    status: namespace.metadata.deletionTimestamp ? 'terminating' : isFrozen(annotations) ? 'frozen' : 'active',
    owner: present(owner),
    members: shown,
    ...(shown.length < members.length ? { more_members: members.length - shown.length } : {}),
    mode,
    ...present(given),
    ...(hasRetiredAnnotations(namespace) ? { retired_annotations: true } : {}),
  };
}

/** Every member that the Namespace names. */
export function membersIn(namespace: Manifest): string[] {
  return parseMembers(annotationsOf(namespace)[annotationKeys.enclaveMembers])
    .map((member) => cleanText(member, longestMember))
    .filter((member) => member !== '');
}

/** The entries that have a value. */
function present<T extends Record<string, string | undefined>>(record: T): { [K in keyof T]?: string } {
  const entries = Object.entries(record).filter((entry) => entry[1] !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: string };
}

const quotaNames = { cpu: 'requests.cpu', memory: 'requests.memory', storage: 'requests.storage' } as const;

export function quotaUse(quotas: readonly Manifest[]): ToolOutput<'enclave_info'>['quota'] {
  const status = quotas[0]?.status;
  const spec = quotas[0]?.spec;
  const value = (table: unknown, key: string) => {
    const found = isJsonObject(table) ? table[key] : undefined;
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
  };
  const use: ToolOutput<'enclave_info'>['quota'] = {};
  for (const [name, key] of Object.entries(quotaNames)) {
    const hard = value(status?.hard, key) ?? value(spec?.hard, key);
    if (hard !== undefined) use[name] = { used: value(status?.used, key) ?? '0', hard };
  }
  return use;
}
