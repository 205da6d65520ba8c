/** An IPv4 or IPv6 address range. `bits` is the network as a number, 32 or 128 bits wide; host bits are zero. */
export interface Cidr {
  readonly version: 4 | 6;
  readonly bits: bigint;
  readonly prefix: number;
}

const octet = /^(?:0|[1-9]\d{0,2})$/;
const group = /^[0-9a-f]{1,4}$/;

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    if (!octet.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.toLowerCase().split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  if (!head || (halves.length === 1 && head.length !== 8)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail && missing < 1) return undefined;
  const groups = tail ? [...head, ...Array<string>(missing).fill('0'), ...tail] : head;
  let bits = 0n;
  for (const part of groups) {
    if (!group.test(part)) return undefined;
    bits = (bits << 16n) | BigInt(`0x${part}`);
  }
  return bits;
}

/** A plain dotted-quad IPv4 or a hexadecimal IPv6 address as a /32 or /128; undefined for anything else. */
export function parseIp(text: string): Cidr | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, bits: v4, prefix: 32 };
  if (!text.includes(':')) return undefined;
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { version: 6, bits: v6, prefix: 128 };
}

/** `10.0.0.0/8` as a range; undefined if it is no CIDR or has host bits set. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!address || !octet.test(length) || Number(length) > address.prefix) return undefined;
  const cidr: Cidr = { ...address, prefix: Number(length) };
  return cidr.bits === network(cidr) ? cidr : undefined;
}

function network({ version, bits, prefix }: Cidr): bigint {
  const hostBits = BigInt((version === 4 ? 32 : 128) - prefix);
  return (bits >> hostBits) << hostBits;
}

/** True if every address of `inner` is one of `outer`. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.version !== inner.version || inner.prefix < outer.prefix) return false;
  return network({ ...inner, prefix: outer.prefix }) === outer.bits;
}

function formatV6(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => ((bits >> BigInt(112 - index * 16)) & 0xffffn).toString(16));
  // RFC 5952: the longest run of two or more zero groups, the first of equals, is written "::".
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (groups[start + length] === '0') length += 1;
    if (length > best.length) best = { start, length };
  }
  if (best.start < 0) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.length).join(':')}`;
}

/** The address without its prefix length, in canonical form. */
export function formatAddress({ version, bits }: Cidr): string {
  if (version === 6) return formatV6(bits);
  return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 0xffn)).join('.');
}

/** `10.0.0.0/8`, in canonical form. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr)}/${cidr.prefix}`;
}
