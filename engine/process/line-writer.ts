const encoder = new TextEncoder();

/**
 * Writes lines whole: a pipe may take only a part of a long one at once. Never throws: a log that nobody reads any more
 * must not fail a run, and there is no second place to say so.
 */
export function lineWriter(output: { writeSync(bytes: Uint8Array): number }): (line: string) => void {
  return (line) => {
    let rest = encoder.encode(`${line}\n`);
    try {
      for (let written = 1; rest.byteLength > 0 && written > 0; rest = rest.subarray(written)) {
        written = output.writeSync(rest);
      }
    } catch {
      // The reader of stdout is gone (EPIPE).
    }
  };
}
