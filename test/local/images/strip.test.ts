import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stripElf } from '../../../local/images/strip.ts';

describe('stripping a binary', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tentacular-strip-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin/node');

  it('takes off what is never loaded, and the program still runs', () => {
    const original = readFileSync(node);
    const stripped = stripElf(original);
    expect(original.length - stripped.length).toBeGreaterThan(10_000_000);
    const path = join(folder, 'node');
    writeFileSync(path, stripped, { mode: 0o755 });
    const script = 'console.log(JSON.stringify([process.version, new Intl.DateTimeFormat("de").format(0)]))';
    const expected = execFileSync(node, ['-e', script], { encoding: 'utf8' });
    expect(execFileSync(path, ['-e', script], { encoding: 'utf8' })).toBe(expected);
  });

  it('a stripped binary stays as it is', () => {
    const stripped = stripElf(readFileSync(node));
    expect(stripElf(stripped).equals(stripped)).toBe(true);
  });

  it.each([
    ['a script', Buffer.from(`#!/bin/sh\n${' '.repeat(100)}`)],
    ['a 32-bit binary', Buffer.concat([Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1]), Buffer.alloc(100)])],
  ])('%s is refused', (_what, bytes) => {
    expect(() => stripElf(bytes)).toThrow('not a 64-bit little-endian ELF file');
  });
});
