const encoder = new TextEncoder();

/** Writes lines whole: a pipe may take only a part of a long one at once. */
export function lineWriter(output: { writeSync(bytes: Uint8Array): number }): (line: string) => void {
  return (line) => {
    let rest = encoder.encode(`${line}\n`);
    while (rest.byteLength > 0) rest = rest.subarray(output.writeSync(rest));
  };
}
