import { annotationKeys } from '../../constructs/model/annotations.ts';
import { isSameAddress, parseMembers } from '../../constructs/model/members.ts';
import {
  defaultEnclaveMode,
  defaultTentacleMode,
  type Mode,
  modePresets,
  parseMode,
} from '../../constructs/model/mode.ts';
import type { OidcPrincipal } from '../../constructs/model/principal.ts';

export type Annotations = Readonly<Record<string, string>>;

/** Which three characters of a mode count for a caller; the first that fits, as in a file system. */
export type Scope = 'owner' | 'group' | 'others';

/** Nobody may anything: what a mode that cannot be read means. */
const closedMode: Mode = '---------';

/** The name under which somebody is a member of an enclave; undefined where no issuer has verified one. */
export function memberNameOf(principal: OidcPrincipal): string | undefined {
  if (!principal.service) return principal.email?.toLowerCase();
  return principal.client ? `client:${principal.client}` : undefined;
}

/** What the caller is to the enclave. */
export function enclaveScope(principal: OidcPrincipal, enclave: Annotations): Scope {
  const ownerSub = enclave[annotationKeys.ownerSub];
  if (ownerSub ? ownerSub === principal.sub : mayClaim(principal, enclave)) return 'owner';
  return isMember(principal, enclave) ? 'group' : 'others';
}

/** True where the enclave names only an e-mail address as its owner, and the issuer has verified it as the caller's. */
export function mayClaim(principal: OidcPrincipal, enclave: Annotations): boolean {
  if (enclave[annotationKeys.ownerSub] || principal.service) return false;
  return isSameAddress(principal.email, enclave[annotationKeys.ownerEmail]);
}

/** What the caller is to the tentacle; undefined where nobody owns it. The enclave's owner is above all of this. */
export function tentacleScope(
  principal: OidcPrincipal,
  enclave: Annotations,
  tentacle: Annotations,
): Scope | undefined {
  const ownerSub = tentacle[annotationKeys.ownerSub];
  if (!ownerSub && !isOwnedByEnclave(enclave, tentacle)) return undefined;
  if (ownerSub && ownerSub === principal.sub) return 'owner';
  return isMember(principal, enclave) ? 'group' : 'others';
}

/**
 * Two kinds of tentacles without an owner's subject are the enclave owner's, if the enclave has one: those out of Git,
 * and those that name his address, which went to him before he ever logged in. He is told apart by the enclave alone.
 */
function isOwnedByEnclave(enclave: Annotations, tentacle: Annotations): boolean {
  const address = enclave[annotationKeys.ownerEmail];
  if (isSameAddress(tentacle[annotationKeys.ownerEmail], address)) return true;
  if (tentacle[annotationKeys.managedByGit] !== 'true') return false;
  return Boolean(enclave[annotationKeys.ownerSub] || address);
}

function isMember(principal: OidcPrincipal, enclave: Annotations): boolean {
  const name = memberNameOf(principal);
  return name !== undefined && parseMembers(enclave[annotationKeys.enclaveMembers]).includes(name);
}

/** Mode of an enclave. Absent: the default of new ones. Unreadable: closed. */
export function enclaveModeOf(enclave: Annotations): Mode {
  return readMode(enclave[annotationKeys.mode], defaultEnclaveMode);
}

/** Mode of a tentacle. Absent: the enclave's default for new ones, else group-read. Unreadable: closed. */
export function tentacleModeOf(enclave: Annotations, tentacle: Annotations): Mode {
  return readMode(tentacle[annotationKeys.mode], readMode(enclave[annotationKeys.defaultMode], defaultTentacleMode));
}

/** True where the enclave takes no apply. A status that cannot be read, as `Frozen`, was hardly meant to leave it open. */
export function isFrozen(enclave: Annotations): boolean {
  return (enclave[annotationKeys.enclaveStatus] || 'active') !== 'active';
}

/** Mode of a tentacle that is made now and names none: the enclave's default. Unreadable: for who makes it alone. */
export function newTentacleMode(enclave: Annotations): Mode {
  return readMode(enclave[annotationKeys.defaultMode], defaultTentacleMode, modePresets.private);
}

function readMode(text: string | undefined, fallback: Mode, unreadable: Mode = closedMode): Mode {
  return text === undefined ? fallback : (parseMode(text) ?? unreadable);
}

const offsets = { owner: 0, group: 3, others: 6 } as const;

/** The three characters of a mode that count for a scope. */
export function bitsOf(mode: Mode, scope: Scope): string {
  return mode.slice(offsets[scope], offsets[scope] + 3);
}
