/** Longest enclave name, in characters: a namespace is a DNS-1123 label. */
export const maxEnclaveNameLength = 63;
/** Longest tentacle name, in characters, so that every derived name fits in 63. */
export const maxTentacleNameLength = 48;

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** What an enclave may be called, in words for error messages. */
export const enclaveNameRule =
  'a DNS-1123 label of at most 63 characters (lower-case letters, digits, hyphens), not default, kube-* or tentacular-*';
/** What a tentacle may be called, in words for error messages. */
export const tentacleNameRule =
  'at most 48 characters: a lower-case letter first, then lower-case letters, digits, hyphens, no hyphen last';

function isReservedEnclaveName(name: string): boolean {
  return name === 'default' || name.startsWith('kube-') || name.startsWith('tentacular-');
}

export function isEnclaveName(name: string): boolean {
  return name.length <= maxEnclaveNameLength && dnsLabel.test(name) && !isReservedEnclaveName(name);
}

export function isTentacleName(name: string): boolean {
  return name.length <= maxTentacleNameLength && serviceName.test(name);
}
