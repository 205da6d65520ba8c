import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withFileLock, writePrivate } from '../../cli/private-file.ts';

describe('files of one user', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tentacular-private-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are for that user alone, whatever the umask, and so is their folder', async () => {
    const umask = process.umask(0);
    try {
      await writePrivate(join(folder, 'tokens/prod.json'), { a: 1 });
    } finally {
      process.umask(umask);
    }
    expect(statSync(join(folder, 'tokens/prod.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'tokens')).mode & 0o777).toBe(0o700);
  });

  it('take the place of a link, and never write through it', async () => {
    writeFileSync(join(folder, 'victim'), 'untouched');
    symlinkSync(join(folder, 'victim'), join(folder, 'prod.json'));
    await writePrivate(join(folder, 'prod.json'), { a: 1 });
    expect(readFileSync(join(folder, 'victim'), 'utf8')).toBe('untouched');
    expect(JSON.parse(readFileSync(join(folder, 'prod.json'), 'utf8'))).toEqual({ a: 1 });
  });

  it('leave no half of a token behind where they cannot be written', async () => {
    mkdirSync(join(folder, 'prod.json'));
    await expect(writePrivate(join(folder, 'prod.json'), { a: 1 })).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(['prod.json']);
  });
});

describe('a lock between processes', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tentacular-lock-'));
    path = join(folder, 'lock');
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const longAgo = () => utimesSync(path, new Date(0), new Date(0));

  it('that was left behind is taken over by one at a time', async () => {
    for (let round = 0; round < 3; round += 1) {
      writeFileSync(path, 'somebody who died');
      longAgo();
      let inside = 0;
      let most = 0;
      const work = async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 1));
        inside -= 1;
      };
      await Promise.all(Array.from({ length: 10 }, () => withFileLock(path, work)));
      expect(most).toBe(1);
    }
    expect(readdirSync(folder)).toEqual([]);
  });

  // A laptop that slept: whoever wakes up would take the lock away from whom it was passed on to.
  it('that was passed on meanwhile is not taken from its new holder', async () => {
    await withFileLock(path, async () => {
      longAgo();
      await withFileLock(path, async () => undefined);
      writeFileSync(path, 'the next one');
    });
    expect(readFileSync(path, 'utf8')).toBe('the next one');
  });
});
