const encoder = new TextEncoder();

/** Length of a text in UTF-8, in bytes. */
export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Base64 (RFC 4648, padded) of a text in UTF-8, in every runtime. */
export function toBase64(text: string): string {
  let binary = '';
  for (const byte of encoder.encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}
