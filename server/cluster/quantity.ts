const pattern = /^([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+)|(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei))?$/;

const decimalPower: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const binaryPower: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
/** Everything is counted in units of 10^-24, so that small decimals stay exact. */
const scale = 24;

function parse(text: string): bigint | undefined {
  const match = pattern.exec(text);
  if (!match) return undefined;
  const [, sign, number = '', exponent, suffix = ''] = match;
  const [whole = '', fraction = ''] = number.split('.');
  const power = exponent === undefined ? (decimalPower[suffix] ?? 0) : Number(exponent);
  const digits = scale - fraction.length + power;
  if (Math.abs(power) > 30 || digits < 0) return undefined;
  const value = BigInt(`${whole}${fraction}` || '0') * 10n ** BigInt(digits) * 2n ** BigInt(binaryPower[suffix] ?? 0);
  return sign === '-' ? -value : value;
}

/** True where two Kubernetes quantities are the same amount: `1000m` and `1`, `1024Mi` and `1Gi`. */
export function sameQuantity(a: string, b: string): boolean {
  if (a === b) return true;
  const [left, right] = [parse(a), parse(b)];
  return left !== undefined && left === right;
}
