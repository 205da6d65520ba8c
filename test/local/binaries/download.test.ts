import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { checksumFor, downloadRelease, type Fetch } from '../../../local/binaries/download.ts';

const folder = mkdtempSync(join(tmpdir(), 'tentacular-download-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const binary = Buffer.from('#!/bin/sh\necho hello\n');
const sum = createHash('sha256').update(binary).digest('hex');
const report = () => undefined;

/** The network's edge: answers by URL, 404 for every other. */
function serving(files: Record<string, Buffer | string>): Fetch {
  return async (url) => {
    const body = files[url];
    return body === undefined ? new Response('', { status: 404 }) : new Response(new Uint8Array(Buffer.from(body)));
  };
}

test('a binary whose sum is the published one is put in place, executable', async () => {
  const target = join(folder, 'plain', 'kubectl');
  const file = { url: 'https://r/kubectl', checksumUrl: 'https://r/kubectl.sha256' };
  await downloadRelease(file, target, report, serving({ [file.url]: binary, [file.checksumUrl]: sum }));
  expect(readFileSync(target)).toEqual(binary);
  expect(statSync(target).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(folder, 'plain'))).toEqual(['kubectl']);
});

test('the binary is taken out of an archive', async () => {
  const source = join(folder, 'src', 'etcd-v1');
  mkdirSync(source, { recursive: true });
  writeFileSync(join(source, 'etcd'), binary);
  execFileSync('tar', ['-czf', join(folder, 'etcd.tar.gz'), '-C', join(folder, 'src'), 'etcd-v1']);
  const archive = readFileSync(join(folder, 'etcd.tar.gz'));
  const sums = `${'0'.repeat(64)}  other.tar.gz\n${createHash('sha256').update(archive).digest('hex')}  etcd.tar.gz\n`;
  const file = { url: 'https://r/etcd.tar.gz', checksumUrl: 'https://r/SHA256SUMS', member: 'etcd-v1/etcd' };
  const target = join(folder, 'archive', 'etcd');
  await downloadRelease(file, target, report, serving({ [file.url]: archive, [file.checksumUrl]: sums }));
  expect(readFileSync(target)).toEqual(binary);
  expect(readdirSync(join(folder, 'archive'))).toEqual(['etcd']);
});

test('a binary with another sum never gets to its place', async () => {
  const target = join(folder, 'forged', 'kubectl');
  const file = { url: 'https://r/kubectl', checksumUrl: 'https://r/kubectl.sha256' };
  const forged = serving({ [file.url]: 'forged', [file.checksumUrl]: sum });
  await expect(downloadRelease(file, target, report, forged)).rejects.toThrow(`published: ${sum}`);
  expect(readdirSync(join(folder, 'forged'))).toEqual([]);
});

test('without a published sum nothing is downloaded', async () => {
  const asked: string[] = [];
  const fetch: Fetch = async (url) => {
    asked.push(url);
    return new Response(`${sum}  another-file\n`);
  };
  const file = { url: 'https://r/kubectl', checksumUrl: 'https://r/sums' };
  await expect(downloadRelease(file, join(folder, 'none'), report, fetch)).rejects.toThrow(
    'names no sha256 of kubectl',
  );
  expect(asked).toEqual(['https://r/sums']);
});

test.each([
  ['a bare sum', sum, sum],
  ['a line with the name', `${sum}  kubectl`, sum],
  ['a line in binary mode with a path', `${sum} *./dist/kubectl`, sum],
  ['upper case', sum.toUpperCase(), sum],
  ['the line of another file', `${sum}  kubectl.tar.gz`, undefined],
  ['a page that is no checksum file', '<html>404</html>', undefined],
])('a checksum file may hold %s', (_what, text, expected) => {
  expect(checksumFor('kubectl', text)).toBe(expected);
});
