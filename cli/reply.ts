/** Far above any answer that a command waits for, in bytes. */
const maxBytes = 256 * 1024;

/** Reads an answer to its end. Throws where it goes on and on; its time is for the signal of the request to limit. */
export async function bodyOf(response: Response): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`it sends more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
