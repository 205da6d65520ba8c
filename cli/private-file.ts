import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';

/** Longest that one process may hold a lock; what is older was left behind. */
const staleAfterMs = 30_000;
const waitForMs = 40_000;
const pollMs = 50;

/** How the name of a file ends that is being written. */
const half = '.half';

/** What this process has to take away again: files half written, and locks with their owner. */
const unfinished = new Map<string, string | undefined>();

/** For a process that ends in the middle of its work: leaves no lock for others to wait for, and no half of a token. */
export function dropUnfinished(): void {
  for (const [path, owner] of unfinished) {
    const isOwn = owner === undefined || (existsSync(path) && readFileSync(path, 'utf8') === owner);
    if (isOwn) rmSync(path, { force: true });
  }
}

/** Content that is what was written; undefined where there is none, or something else, which the next write replaces. */
export async function readPrivate<T extends z.ZodType>(path: string, schema: T): Promise<z.output<T> | undefined> {
  const text = await textOf(path);
  return text === undefined ? undefined : schema.safeParse(parsed(text)).data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Its message would quote the text.
    return undefined;
  }
}

/** For the user alone (0600), and whole or not at all, also when the machine goes down. */
export async function writePrivate(path: string, content: object): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.${randomUUID()}${half}`;
  unfinished.set(next, undefined);
  try {
    const file = await open(next, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(content, null, 2));
      await file.sync();
    } finally {
      await file.close();
    }
    // Replaces a link instead of following it.
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  } finally {
    unfinished.delete(next);
  }
}

/** Takes a file away, and what a crash has left of writing it. Under its lock: somebody else may be writing it. */
export async function removePrivate(path: string): Promise<void> {
  const folder = dirname(path);
  const isHalf = (name: string) => name.startsWith(`${basename(path)}.`) && name.endsWith(half);
  const halves = (await readdir(folder)).filter(isHalf).map((name) => join(folder, name));
  for (const file of [path, ...halves]) await rm(file, { force: true });
}

/** Runs `work` while no other process of this user does the same under that path. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const owner = randomUUID();
  const deadline = Date.now() + waitForMs;
  while (!(await take(path, owner))) {
    if (Date.now() > deadline) throw new Error(`${path} is held by another process; remove it if there is none`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  try {
    return await work();
  } finally {
    // While this process was suspended, others may have taken it for left behind: then it is theirs by now.
    if ((await textOf(path)) === owner) await rm(path, { force: true });
    unfinished.delete(path);
  }
}

async function take(path: string, owner: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(owner).finally(() => file.close());
    } catch (error) {
      // On a disk that is full it would be there without an owner.
      await rm(path, { force: true });
      throw error;
    }
    unfinished.set(path, owner);
    return true;
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    if (await isStale(path)) await rm(path, { force: true });
    return false;
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > staleAfterMs;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
