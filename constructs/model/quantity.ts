/**
 * Kubernetes quantities, as far as `resources` needs them: CPU in cores or `m`, memory in bytes with a suffix.
 * Canonical form is the one in which the API server stores them, so that what we render equals what is live
 * (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/).
 */
export const cpuRule = 'cores like 1 or 0.5, or millicores like 250m';
export const memoryRule = 'bytes with a suffix like 96Mi, 1Gi or 500M';

const cpuPattern = /^(?:(\d{1,6}(?:\.\d{1,3})?)|(\d{1,9})m)$/;
const memoryPattern = /^(\d{1,15})(?:\.(\d{1,3}))?(Ki|Mi|Gi|Ti|k|M|G|T)?$/;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti'] as const;
const decimalSuffixes = ['', 'k', 'M', 'G', 'T'] as const;

/** Millicores of a CPU quantity, or undefined if it is none or zero. */
export function parseCpu(text: string): number | undefined {
  const match = cpuPattern.exec(text);
  if (!match) return undefined;
  const milli = match[2] === undefined ? Math.round(Number(match[1]) * 1000) : Number(match[2]);
  return milli > 0 ? milli : undefined;
}

/** Bytes of a memory quantity, or undefined if it is none, zero, or no whole number of bytes. */
export function parseMemory(text: string): number | undefined {
  const match = memoryPattern.exec(text);
  if (!match) return undefined;
  const suffix = match[3] ?? '';
  const binary = suffix.endsWith('i');
  const suffixes: readonly string[] = binary ? binarySuffixes : decimalSuffixes;
  const exponent = suffixes.indexOf(suffix);
  const bytes = Number(`${match[1]}.${match[2] ?? '0'}`) * (binary ? 1024 : 1000) ** exponent;
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** `1500m`, or `2` where it is whole cores. */
function formatCpu(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** Canonical text of a CPU quantity; undefined if it is none. */
export function canonicalCpu(text: string): string | undefined {
  const milli = parseCpu(text);
  return milli === undefined ? undefined : formatCpu(milli);
}

/** Canonical text of a memory quantity: the largest suffix of its own family that leaves a whole number. */
export function canonicalMemory(text: string): string | undefined {
  let amount = parseMemory(text);
  if (amount === undefined) return undefined;
  const binary = text.endsWith('i');
  const suffixes = binary ? binarySuffixes : decimalSuffixes;
  const base = binary ? 1024 : 1000;
  let exponent = 0;
  while (amount % base === 0 && exponent < suffixes.length - 1) {
    amount /= base;
    exponent += 1;
  }
  return `${amount}${suffixes[exponent] ?? ''}`;
}
