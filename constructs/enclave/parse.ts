import type { Fault } from '../model/errors.ts';
import { modeRule } from '../model/mode.ts';
import { quotaPresets } from '../model/quota.ts';
import type { EnclaveSource } from '../source.ts';
import { Reader } from '../workflow/reader.ts';
import { childPath, sourceOfYaml } from '../workflow/yaml-source.ts';

const keys = ['owner', 'members', 'mode', 'default_mode', 'quota_preset', 'platform', 'channel'];

/** What enclave.yaml says, or everything that is wrong with it. */
export type CheckedEnclave =
  | { readonly source: EnclaveSource; readonly faults: readonly [] }
  | { readonly source?: never; readonly faults: readonly Fault[] };

/**
 * Reads enclave.yaml: `owner{email, sub?, name?}`, `members[]`, `mode`, `default_mode`, `quota_preset`, `platform`,
 * `channel{id, name?}`. The name is the folder's.
 */
export function checkEnclave(name: string, text: string): CheckedEnclave {
  const document = sourceOfYaml(text);
  if (document.value === undefined) return { faults: document.faults };
  const reader = new Reader(document);
  const fields = reader.fields(document.value, '', keys) ?? {};
  const optional = (key: string, allowed: string): string | undefined =>
    fields[key] === undefined ? undefined : reader.text(fields[key], key, { allowed });
  const owner =
    fields.owner === undefined ? {} : (reader.fields(fields.owner, 'owner', ['email', 'sub', 'name']) ?? {});
  const channel = fields.channel === undefined ? {} : (reader.fields(fields.channel, 'channel', ['id', 'name']) ?? {});
  const part = (section: string, from: typeof owner, key: string): string | undefined =>
    from[key] === undefined ? undefined : reader.text(from[key], `${section}.${key}`);
  const members = reader
    .list(fields.members, 'members', { max: 500 })
    .map((member, index) =>
      reader.text(member, childPath('members', index), { allowed: 'an e-mail address or client:<id>' }),
    )
    .filter((member) => member !== undefined);
  const values = {
    ownerEmail: part('owner', owner, 'email'),
    ownerSub: part('owner', owner, 'sub'),
    ownerName: part('owner', owner, 'name'),
    mode: optional('mode', modeRule),
    defaultMode: optional('default_mode', modeRule),
    quotaPreset: optional('quota_preset', Object.keys(quotaPresets).join(', ')),
    platform: optional('platform', 'the chat platform of the team'),
    channelId: part('channel', channel, 'id'),
    channelName: part('channel', channel, 'name'),
  };
  if (reader.faults.length > 0) return { faults: reader.faults };
  const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
  return { source: { name, ...given, ...(members.length === 0 ? {} : { members }) }, faults: [] };
}
