import { annotationKeys } from '../../constructs/model/annotations.ts';
import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import {
  canonicalMember,
  formatMembers,
  isEmailAddress,
  isMemberName,
  isSameAddress,
  memberRule,
  membersFaults,
  parseMembers,
} from '../../constructs/model/members.ts';
import { isSubject, type OidcPrincipal, type Principal } from '../../constructs/model/principal.ts';
import { hasHiddenCharacters, showHidden } from '../../constructs/model/text.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import { annotationsOf } from './admission.ts';
import { checkedMode } from './checked-mode.ts';
import { ownerAnnotations, ownerIn } from './ownership.ts';
import type { OwnerIdentity } from './provenance.ts';

type Input = ToolInput<'enclave_sync'>;

/** What a call wants of an enclave, checked; names in the form in which they are compared. */
export interface EnclaveChange {
  readonly members?: readonly string[];
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly owner?: OwnerIdentity;
  /** Annotations that are simply set. */
  readonly set: Readonly<Record<string, string>>;
}

/** The tool that was called, and how it names what enclave_sync names otherwise. */
interface Asked {
  readonly tool: 'enclave_sync' | 'permissions_set';
  readonly fields: Readonly<Record<string, string>>;
}

/** @throws TentacularError `invalid_input` with every fault at once. */
export function enclaveChange(
  input: Omit<Input, 'name' | 'on_conflict'>,
  principal: Principal,
  { tool, fields: names }: Asked = { tool: 'enclave_sync', fields: {} },
): EnclaveChange {
  const faults: Fault[] = [];
  const listed = (field: 'members' | 'add_members' | 'remove_members', anyName = false) =>
    input[field]?.map((given, index) => {
      const name = canonicalMember(given);
      // Whatever got into the annotation may be removed from it.
      if (!anyName && !isMemberName(name)) {
        faults.push({ path: `${field}.${index}`, message: 'is no member', found: given, allowed: memberRule });
      }
      return name;
    });
  const members = listed('members');
  const added = listed('add_members') ?? [];
  const removed = listed('remove_members', true) ?? [];
  for (const name of added.filter((one) => removed.includes(one))) {
    faults.push({ path: 'remove_members', message: 'names somebody who is in add_members too', found: name });
  }
  const mode = checkedMode('new_mode', input.new_mode, faults);
  const defaultMode = checkedMode('new_default_mode', input.new_default_mode, faults);
  const owner = ownerWanted(input.new_owner, input.new_owner_sub);
  if (owner?.email && !isEmailAddress(owner.email)) {
    faults.push({ path: 'new_owner', message: 'is no e-mail address', found: owner.email });
  }
  if (owner && principal.kind === 'oidc' && isHalfOf(principal, owner)) {
    faults.push({ path: 'new_owner_sub', message: 'is not the subject of that address: one of them is yours' });
  }
  checkSubject('new_owner_sub', input.new_owner_sub, faults);
  checkPlain('new_channel_name', input.new_channel_name, faults);
  if (faults.length > 0) {
    const named = faults.map((fault) => ({ ...fault, path: names[fault.path] ?? fault.path }));
    throw invalidInput(`Input of ${tool}`, named);
  }
  const set = {
    [annotationKeys.mode]: mode,
    [annotationKeys.defaultMode]: defaultMode,
    [annotationKeys.enclaveStatus]: input.new_status,
    [annotationKeys.quotaPreset]: input.new_quota_preset,
    [annotationKeys.channelName]: input.new_channel_name,
  };
  return {
    ...(members ? { members } : {}),
    added,
    removed,
    ...(owner ? { owner } : {}),
    set: Object.fromEntries(Object.entries(set).filter((entry): entry is [string, string] => entry[1] !== undefined)),
  };
}

/** Adds a fault for text that could pass for another one, or steer a terminal. */
export function checkPlain(path: string, text: string | undefined, faults: Fault[]): void {
  if (text === undefined || !hasHiddenCharacters(text)) return;
  faults.push({ path, message: 'holds control or invisible characters', found: showHidden(text) });
}

/** Adds a fault for what no token has as its subject: who owns by it would be nobody, for good. */
export function checkSubject(path: string, text: string | undefined, faults: Fault[]): void {
  if (text === undefined) return;
  if (!isSubject(text)) {
    const allowed = 'the `sub` of a token: 1 to 255 printable ASCII characters, no blanks';
    faults.push({ path, message: 'is no OIDC subject', found: showHidden(text), allowed });
  } else if (/^client:/i.test(text)) {
    const hint = 'permissions_get tells the subject of who owns something';
    faults.push({ path, message: 'is the name of a member', found: text, allowed: 'the `sub` of its token', hint });
  }
}

/** True where the subject is the caller's and the address another's, or the other way round. */
function isHalfOf(principal: OidcPrincipal, { sub, email }: OwnerIdentity): boolean {
  return sub !== undefined && email !== undefined && (sub === principal.sub) !== (email === principal.email);
}

function ownerWanted(email: string | undefined, sub: string | undefined): OwnerIdentity | undefined {
  if (email === undefined && sub === undefined) return undefined;
  return { ...(email ? { email: canonicalMember(email) } : {}), ...(sub ? { sub } : {}) };
}

/** The annotations that carry a change out on an enclave as it is now. */
export function annotationsFor(change: EnclaveChange, live: Manifest): Record<string, string> {
  const set: Record<string, string> = { ...change.set };
  const before = parseMembers(annotationsOf(live)[annotationKeys.enclaveMembers]);
  const after = [...(change.members ?? before), ...change.added].filter((name) => !change.removed.includes(name));
  const written = formatMembers(after);
  if (written !== formatMembers(before)) {
    const faults = membersFaults(after);
    // Of a list that got too long by other means some may be taken away, until it is short enough.
    if (faults.length > 0 && after.some((name) => !before.includes(name))) {
      throw invalidInput('Input of enclave_sync', faults);
    }
    set[annotationKeys.enclaveMembers] = written;
  }
  return change.owner && !isOwner(change.owner, live) ? { ...set, ...ownerAnnotations(change.owner) } : set;
}

/** True where the enclave is owned by exactly whom the change names, as far as it names him. */
function isOwner(wanted: OwnerIdentity, live: Manifest): boolean {
  const owner = ownerIn(live);
  return [
    wanted.sub === undefined || wanted.sub === owner.sub,
    wanted.email === undefined || isSameAddress(wanted.email, owner.email),
  ].every(Boolean);
}

type Updated = ToolOutput<'enclave_sync'>['updated'][number];

const fields: readonly (readonly [Updated, readonly string[]])[] = [
  ['members', [annotationKeys.enclaveMembers]],
  ['owner', [annotationKeys.ownerSub, annotationKeys.ownerEmail]],
  ['channel_name', [annotationKeys.channelName]],
  ['status', [annotationKeys.enclaveStatus]],
  ['mode', [annotationKeys.mode]],
  ['default_mode', [annotationKeys.defaultMode]],
  ['quota', [annotationKeys.quotaPreset]],
];

/** What became different from one state of an enclave to another. */
export function changedFields(before: Manifest, after: Manifest): Updated[] {
  const differs = (key: string) => (annotationsOf(before)[key] ?? '') !== (annotationsOf(after)[key] ?? '');
  return fields.filter(([, keys]) => keys.some(differs)).map(([name]) => name);
}
