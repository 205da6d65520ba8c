import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

const BLOCK_BYTES = 512;
const USTAR_NAME_BYTES = 100;
const USTAR_PREFIX_BYTES = 155;
/** 11 octal digits: what the size field of a ustar header holds. */
const USTAR_MAX_SIZE = 0o77777777777;

/** Where the bytes of a regular file come from: a length known beforehand and a stream that may be opened again. */
export interface TarContent {
  readonly sizeBytes: number;
  read(): AsyncIterable<Uint8Array>;
}

/** One member of a tar archive. Modification time is always 0, so that equal input gives equal bytes. */
export interface TarEntry {
  /** Relative, `/`-separated, without a trailing slash. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Permission bits, e.g. `0o644`. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Target of a symlink. */
  readonly target?: string;
  /** Bytes of a file. */
  readonly content?: TarContent;
}

/** Content held in memory. */
export function bytesContent(bytes: Uint8Array): TarContent {
  return {
    sizeBytes: bytes.byteLength,
    async *read() {
      if (bytes.byteLength > 0) yield bytes;
    },
  };
}

/** Content of a file on disk, streamed each time that it is read. */
export async function fileContent(path: string): Promise<TarContent> {
  const { size } = await stat(path);
  return { sizeBytes: size, read: () => createReadStream(path, { highWaterMark: 1 << 20 }) };
}

/** The archive as a stream of chunks. Throws where a file changes its length between measuring and reading. */
export async function* tarStream(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const sizeBytes = entry.type === 'file' ? (entry.content?.sizeBytes ?? 0) : 0;
    yield headerOf(entry, sizeBytes);
    if (entry.type !== 'file' || entry.content === undefined) continue;
    let seenBytes = 0;
    for await (const chunk of entry.content.read()) {
      seenBytes += chunk.byteLength;
      yield chunk;
    }
    if (seenBytes !== sizeBytes) {
      throw new Error(`${entry.path} changed while it was read: expected ${sizeBytes} bytes, got ${seenBytes}`);
    }
    yield padding(sizeBytes);
  }
  yield new Uint8Array(2 * BLOCK_BYTES);
}

/** Bytes that `tarStream` yields for a set of entries, without reading any content. */
export function tarSizeBytes(entries: Iterable<TarEntry>): number {
  let total = 2 * BLOCK_BYTES;
  for (const entry of entries) {
    const sizeBytes = entry.type === 'file' ? (entry.content?.sizeBytes ?? 0) : 0;
    total += headerOf(entry, sizeBytes).byteLength + sizeBytes + padding(sizeBytes).byteLength;
  }
  return total;
}

function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES);
}

/** A ustar header, preceded by a pax header where a name is too long for ustar (POSIX.1-2001, pax interchange format). */
function headerOf(entry: TarEntry, sizeBytes: number): Buffer {
  if (sizeBytes > USTAR_MAX_SIZE) throw new Error(`${entry.path} is too large for a tar archive: ${sizeBytes} bytes`);
  const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
  const split = splitName(name);
  const records: string[] = [];
  if (split === undefined) records.push(paxRecord('path', name));
  const target = entry.target ?? '';
  if (Buffer.byteLength(target) > USTAR_NAME_BYTES) records.push(paxRecord('linkpath', target));
  const typeFlag = { file: '0', directory: '5', symlink: '2' }[entry.type];
  const header = block({
    ...(split ?? { name: truncate(name), prefix: '' }),
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes,
    typeFlag,
    target: truncate(target),
  });
  if (records.length === 0) return header;
  const body = Buffer.from(records.join(''));
  const pax = block({
    name: 'pax-header',
    prefix: '',
    mode: 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: body.byteLength,
    typeFlag: 'x',
    target: '',
  });
  return Buffer.concat([pax, body, padding(body.byteLength), header]);
}

/** `undefined` where the name fits neither the name field nor prefix + name. */
function splitName(name: string): { name: string; prefix: string } | undefined {
  if (Buffer.byteLength(name) <= USTAR_NAME_BYTES) return { name, prefix: '' };
  for (let cut = name.indexOf('/'); cut !== -1; cut = name.indexOf('/', cut + 1)) {
    const prefix = name.slice(0, cut);
    const rest = name.slice(cut + 1);
    if (rest === '' || Buffer.byteLength(prefix) > USTAR_PREFIX_BYTES) return undefined;
    if (Buffer.byteLength(rest) <= USTAR_NAME_BYTES) return { name: rest, prefix };
  }
  return undefined;
}

function truncate(text: string): string {
  return Buffer.from(text).subarray(0, USTAR_NAME_BYTES).toString('latin1');
}

/** `<length> <key>=<value>\n`, where the length counts itself. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

interface HeaderFields {
  readonly name: string;
  readonly prefix: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly typeFlag: string;
  readonly target: string;
}

function block(fields: HeaderFields): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, offset: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset, width, 'latin1');
  header.write(fields.name, 0, USTAR_NAME_BYTES);
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.sizeBytes, 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148, 8, 'latin1');
  header.write(fields.typeFlag, 156, 1, 'latin1');
  header.write(fields.target, 157, USTAR_NAME_BYTES);
  header.write('ustar\x0000', 257, 8, 'latin1');
  header.write(fields.prefix, 345, USTAR_PREFIX_BYTES);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return header;
}
