import type { Fault } from './errors.ts';
import { hasHiddenCharactersInProse } from './text.ts';

/** Most members of one enclave. */
export const maxMembers = 500;
/** Characters that all of them may take, as JSON: each reply that tells of the enclave shows them. */
export const maxMembersLength = 20_000;
/** What a member may be called, in words for error messages. */
export const memberRule = 'an e-mail address, or client:<id> for a service account';

const email = /^[^\s@,]{1,64}@[^\s@,]{1,253}$/;
const client = /^client:[-A-Za-z0-9._~]{1,128}$/;

/**
 * The form in which members are written and compared: an address is the same in any case, and however its letters are
 * composed; a client's id is not.
 */
export function canonicalMember(text: string): string {
  const trimmed = text.trim();
  const id = /^client:(.*)$/is.exec(trimmed)?.[1];
  return id === undefined ? trimmed.normalize('NFC').toLowerCase() : `client:${id}`;
}

/** True where both are the same address; what is missing or empty is none. */
export function isSameAddress(one: string | undefined, other: string | undefined): boolean {
  return Boolean(one && other) && canonicalMember(one ?? '') === canonicalMember(other ?? '');
}

/** True for a canonical name that a member may have. */
export function isMemberName(name: string): boolean {
  return client.test(name) || isEmailAddress(name);
}

export function isEmailAddress(text: string): boolean {
  return email.test(text) && !hasHiddenCharactersInProse(text);
}

/** Members out of the annotation `enclave-members`, in the order written. */
export function parseMembers(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map(canonicalMember)
    .filter((member) => member !== '');
}

/** Members as the annotation holds them: each once, sorted, joined by commas. */
export function formatMembers(members: Iterable<string>): string {
  return [...new Set(members)].sort().join(',');
}

/** What is wrong with a list of members as a whole, each of them being in order. */
export function membersFaults(names: Iterable<string>): Fault[] {
  const distinct = [...new Set(names)];
  if (distinct.length > maxMembers) {
    return [{ path: 'members', message: 'are too many', found: distinct.length, allowed: `at most ${maxMembers}` }];
  }
  const length = membersLength(distinct);
  if (length <= maxMembersLength) return [];
  const allowed = `at most ${maxMembersLength} characters in all`;
  return [{ path: 'members', message: 'are too long together', found: length, allowed }];
}

function membersLength(names: readonly string[]): number {
  return names.reduce((sum, name) => sum + JSON.stringify(name).length + 1, 0);
}
