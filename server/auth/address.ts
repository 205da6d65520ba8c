import { isIPv4, isIPv6 } from 'node:net';

/**
 * Whose attempts are counted together: those of an IPv4 address, also where a socket of IPv6 writes it as
 * `::ffff:192.0.2.1`, and those of an IPv6 network of 64 bits, which a single host has to itself (RFC 4291, 2.5.1).
 */
export function attemptKey(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  const [plain = ''] = address.split('%', 1);
  return isIPv6(plain) ? `${groupsOf(plain).slice(0, 4).join(':')}::/64` : address;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function groupsOf(address: string): string[] {
  // Written in one way only: lower case, no IPv4 at its end.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const [before, after] = [head, tail ?? ''].map((part) => part.split(':').filter((group) => group !== ''));
  const known = [...(before ?? []), ...(after ?? [])];
  return [...(before ?? []), ...Array<string>(8 - known.length).fill('0'), ...(after ?? [])];
}
