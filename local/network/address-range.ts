/** An IPv4 range in CIDR notation. */
export interface AddressRange {
  readonly text: string;
  /** First address as a number. */
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
  /** The n-th address of the range, counted from 0. */
  address(n: number): string;
}

/** `undefined` where the text is no range, or is not written with the range's first address. */
export function parseRange(text: string): AddressRange | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (!match) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if (prefix > 32 || octets.some((octet) => octet > 255)) return undefined;
  const first = octets.reduce((number, octet) => number * 256 + octet, 0);
  const size = 2 ** (32 - prefix);
  if (first % size !== 0) return undefined;
  return { text, first, last: first + size - 1, prefix, address: (n) => dotted(first + n) };
}

export function rangesOverlap(a: AddressRange, b: AddressRange): boolean {
  return a.first <= b.last && b.first <= a.last;
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
