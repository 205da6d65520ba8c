import { annotationKeys } from '../model/annotations.ts';
import { type Fault, invalidInput } from '../model/errors.ts';
import {
  canonicalMember,
  formatMembers,
  isEmailAddress,
  isMemberName,
  maxMembers,
  memberRule,
  membersFaults,
} from '../model/members.ts';
import { defaultEnclaveMode, modeRule, parseMode } from '../model/mode.ts';
import { enclaveNameRule, isEnclaveName } from '../model/names.ts';
import { defaultQuotaPreset, type QuotaPreset, quotaPresets } from '../model/quota.ts';
import { hasHiddenCharactersInProse } from '../model/text.ts';
import type { EnclaveSource } from '../source.ts';
import { shorten } from '../workflow/yaml-source.ts';

/** An enclave after every check. */
export interface ResolvedEnclave {
  readonly name: string;
  /** Of the Namespace; only what was given, and the defaults of mode, status and quota. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly quota: QuotaPreset;
}

/** @throws TentacularError `invalid_input` with every fault at once. */
export function resolveEnclave(source: EnclaveSource): ResolvedEnclave {
  const faults: Fault[] = [];
  const { name, mode = defaultEnclaveMode, defaultMode, quotaPreset = defaultQuotaPreset, status = 'active' } = source;
  if (!isEnclaveName(name))
    faults.push({ path: 'name', message: 'is no name for an enclave', found: shorten(name), allowed: enclaveNameRule });
  const modeOf = (text: string | undefined, path: string): string | undefined => {
    const parsed = text === undefined ? undefined : parseMode(text);
    if (text !== undefined && parsed === undefined)
      faults.push({ path, message: 'is no mode', found: shorten(text), allowed: modeRule });
    return parsed;
  };
  const plain = (text: string | undefined, path: string): string | undefined => {
    if (
      text !== undefined &&
      (text.length > 253 || text.trim() === '' || /[\n\r\t]/.test(text) || hasHiddenCharactersInProse(text))
    ) {
      faults.push({
        path,
        message: 'is no plain text',
        found: shorten(text),
        allowed: '1 to 253 printable characters',
      });
    }
    return text;
  };
  const presets: Readonly<Record<string, QuotaPreset>> = quotaPresets;
  const quota = Object.hasOwn(presets, quotaPreset) ? presets[quotaPreset] : undefined;
  if (!quota)
    faults.push({
      path: 'quota_preset',
      message: 'is no preset',
      found: shorten(quotaPreset),
      allowed: Object.keys(presets).join(', '),
    });
  if (status !== 'active' && status !== 'frozen')
    faults.push({ path: 'status', message: 'is no status', found: status, allowed: 'active, frozen' });
  const ownerEmail = source.ownerEmail === undefined ? undefined : canonicalMember(source.ownerEmail);
  if (ownerEmail !== undefined && !isEmailAddress(ownerEmail)) {
    faults.push({
      path: 'owner_email',
      message: 'is no e-mail address',
      found: shorten(ownerEmail),
      allowed: 'name@example.com',
    });
  }
  const values: Record<string, string | undefined> = {
    [annotationKeys.ownerSub]: plain(source.ownerSub, 'owner_sub'),
    [annotationKeys.ownerEmail]: plain(ownerEmail, 'owner_email'),
    [annotationKeys.ownerName]: plain(source.ownerName, 'owner_name'),
    [annotationKeys.enclaveMembers]: members(source.members, faults),
    [annotationKeys.mode]: modeOf(mode, 'mode'),
    [annotationKeys.defaultMode]: modeOf(defaultMode, 'default_mode'),
    [annotationKeys.enclaveStatus]: status,
    [annotationKeys.quotaPreset]: quotaPreset,
    [annotationKeys.platform]: plain(source.platform, 'platform'),
    [annotationKeys.channelId]: plain(source.channelId, 'channel_id'),
    [annotationKeys.channelName]: plain(source.channelName, 'channel_name'),
  };
  if (faults.length > 0 || !quota) throw invalidInput(`enclave ${shorten(name)}`, faults);
  const present = Object.entries(values).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  return { name, annotations: Object.fromEntries(present), quota };
}

function members(given: readonly string[] = [], faults: Fault[]): string | undefined {
  faults.push(...membersFaults(given.map(canonicalMember)));
  const names = given.slice(0, maxMembers).map((member, index) => {
    const name = canonicalMember(member);
    if (!isMemberName(name))
      faults.push({ path: `members[${index}]`, message: 'is no member', found: shorten(member), allowed: memberRule });
    return name;
  });
  return names.length === 0 ? undefined : formatMembers(names);
}
