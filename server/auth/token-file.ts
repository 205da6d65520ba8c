import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { type Authenticator, maxCredentialLength, type Verdict } from './authenticator.ts';

/** Shortest static token, in characters. */
const minTokenLength = 32;
/** Live values in one file: the current one and, during a rotation, the one before. */
const maxTokens = 2;

export interface TokenFileOptions {
  /** File with one token a line, at most two. */
  readonly path: string;
  /** Name of the principal that the tokens stand for. Default `bearer-token`. */
  readonly principalName?: string;
  /** How often, at most, the file is looked at, in milliseconds. Default 1000. */
  readonly checkIntervalMs?: number;
  /** Told when the file cannot be used; the text never holds a token. */
  readonly onFault?: (message: string) => void;
  /** Milliseconds; only differences count. Default: the monotonic clock. */
  readonly now?: () => number;
}

/** What is wrong with the content of a token file, or its digests. Pure. */
export function readTokens(content: string): { digests: Buffer[] } | { fault: string } {
  const tokens = content
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) return { fault: 'holds no token' };
  if (tokens.length > maxTokens) return { fault: `holds ${tokens.length} tokens; at most ${maxTokens} may be live` };
  if (tokens.some((token) => token.length < minTokenLength)) {
    return { fault: `holds a token shorter than ${minTokenLength} characters` };
  }
  if (tokens.some((token) => token.length > maxCredentialLength)) {
    return { fault: `holds a token longer than ${maxCredentialLength} characters` };
  }
  // Nobody could send it, and it would look as if it were valid.
  if (tokens.some((token) => !/^[\x21-\x7e]+$/.test(token))) {
    return { fault: 'holds a token with something else in it than printable ASCII without white space' };
  }
  return { digests: tokens.map(digest) };
}

/**
 * Static bearer tokens from a mounted file, compared in constant time over digests. The file is read again when it
 * changes, so a rotation needs no restart. Content that cannot be used closes the door (nobody is let in) rather than
 * leaving a withdrawn token valid; a file that cannot be read at all keeps what was read before.
 */
export async function createTokenFileAuthenticator(options: TokenFileOptions): Promise<Authenticator> {
  const { path, principalName = 'bearer-token', checkIntervalMs = 1000 } = options;
  const onFault = options.onFault ?? (() => undefined);
  const now = options.now ?? (() => performance.now());

  // Before it is read: what changes in between is read again.
  let version = await versionOf(path);
  const first = readTokens(await readFile(path, 'utf8'));
  if ('fault' in first) throw new Error(`the token file ${first.fault}`);
  let digests = first.digests;
  let checkedAt = now();
  let checking: Promise<void> | undefined;

  async function check(): Promise<void> {
    try {
      const found = await versionOf(path);
      if (found === version) return;
      const read = readTokens(await readFile(path, 'utf8'));
      version = found;
      digests = 'fault' in read ? [] : read.digests;
      if ('fault' in read) onFault(`the token file ${read.fault}: static tokens are refused until it is mended`);
    } catch (error) {
      onFault(`the token file cannot be read (${codeOf(error)}): the values read before stay valid`);
    }
  }

  async function refresh(): Promise<void> {
    if (now() - checkedAt >= checkIntervalMs) {
      checkedAt = now();
      checking = check().finally(() => {
        checking = undefined;
      });
    }
    await checking;
  }

  return {
    name: 'token-file',
    async judge(credential): Promise<Verdict> {
      await refresh();
      const given = digest(credential);
      let matches = false;
      // Every value is compared, whatever the first one said: the time taken tells nothing.
      for (const known of digests) matches = timingSafeEqual(given, known) || matches;
      return matches ? { kind: 'accepted', principal: { kind: 'token', name: principalName } } : { kind: 'unknown' };
    },
  };
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** Changes whenever the file does; a mounted Secret is swapped by symlink, which `stat` follows. */
async function versionOf(path: string): Promise<string> {
  const { ino, mtimeMs, size } = await stat(path);
  return `${ino}:${mtimeMs}:${size}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
