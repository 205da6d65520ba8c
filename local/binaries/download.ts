import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { Report } from '../progress.ts';
import { runCommand } from '../run-command.ts';
import type { ReleaseFile } from './catalog.ts';

/** Short, because there is another way: a build from source. */
const CONNECT_TIMEOUT_MS = 5_000;
const BODY_TIMEOUT_MS = 15 * 60_000;
const MAX_CHECKSUM_BYTES = 1 << 20;

export type Fetch = (url: string, init: { signal: AbortSignal }) => Promise<Response>;

/**
 * Downloads a release file, verifies its published sha256 and puts the binary at `target` (0755).
 * @throws TentacularError `unavailable` (not reachable, wrong sum), before anything is at `target`.
 */
export async function downloadRelease(
  file: ReleaseFile,
  target: string,
  report: Report,
  fetch: Fetch = globalThis.fetch,
): Promise<void> {
  const name = file.url.slice(file.url.lastIndexOf('/') + 1);
  const expected = checksumFor(name, await readText(file.checksumUrl, fetch));
  if (expected === undefined) throw unavailable(`${file.checksumUrl} names no sha256 of ${name}`);
  await mkdir(dirname(target), { recursive: true });
  const part = `${target}.${process.pid}.part`;
  const folder = `${part}.d`;
  try {
    const found = await saveTo(part, file.url, report, fetch);
    if (found !== expected) throw unavailable(`${file.url} has sha256 ${found}; published: ${expected}`);
    if (file.member === undefined) {
      await chmod(part, 0o755);
      await rename(part, target);
      return;
    }
    await mkdir(folder, { recursive: true });
    await runCommand('tar', ['-xzf', part, '-C', folder, '--no-same-owner', file.member]);
    await chmod(join(folder, file.member), 0o755);
    await rename(join(folder, file.member), target);
  } finally {
    await rm(part, { force: true });
    await rm(folder, { recursive: true, force: true });
  }
}

/** The sum in a checksum file: a bare sum, or the line that names the file (`sha256sum` format). */
export function checksumFor(name: string, text: string): string | undefined {
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64})(?:\s+\*?(?:.*\/)?(\S+))?\s*$/i.exec(line.trim());
    if (match?.[1] && (match[2] === undefined || match[2] === name)) return match[1].toLowerCase();
  }
  return undefined;
}

async function readText(url: string, fetch: Fetch): Promise<string> {
  const response = await get(url, fetch, CONNECT_TIMEOUT_MS);
  const text = await response.text();
  if (text.length > MAX_CHECKSUM_BYTES) throw unavailable(`${url} is no checksum file: ${text.length} bytes`);
  return text;
}

async function saveTo(path: string, url: string, report: Report, fetch: Fetch): Promise<string> {
  const response = await get(url, fetch, BODY_TIMEOUT_MS);
  if (!response.body) throw unavailable(`${url} has no body`);
  const totalBytes = Number(response.headers.get('content-length') ?? 0);
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      report(`${megabytes(bytes)}${totalBytes > 0 ? ` of ${megabytes(totalBytes)}` : ''} MB`);
      done(null, chunk);
    },
  });
  await pipeline(Readable.from(response.body), measure, createWriteStream(path));
  return hash.digest('hex');
}

async function get(url: string, fetch: Fetch, timeoutMs: number): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
    throw unavailable(`${url} cannot be reached: ${reasonOf(error)}`, error);
  });
  if (!response.ok) throw unavailable(`${url} answered ${response.status}`);
  return response;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function unavailable(message: string, cause?: unknown): TentacularError {
  return new TentacularError('unavailable', message, { hint: 'It is built from source instead.', cause });
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}
