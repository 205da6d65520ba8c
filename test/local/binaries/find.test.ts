import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { catalog } from '../../../local/binaries/catalog.ts';
import type { Fetch } from '../../../local/binaries/download.ts';
import { cachedPath, cacheFolder, findBinaries } from '../../../local/binaries/find.ts';

let folder: string;
let env: NodeJS.ProcessEnv;
let asked: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tentacular-find-'));
  asked = [];
  // A Go that can build nothing, so that no test compiles Kubernetes.
  program('path/go', 'echo "go: no module proxy" >&2; exit 1');
  env = { PATH: join(folder, 'path'), KUBEBUILDER_ASSETS: join(folder, 'assets') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string, script: string): string {
  const target = join(folder, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, `#!/bin/sh\n${script}\n`);
  chmodSync(target, 0o755);
  return target;
}

const unreachable: Fetch = async (url) => {
  asked.push(url);
  throw new TypeError('fetch failed', { cause: new Error('getaddrinfo ENOTFOUND') });
};

function find(fetch: Fetch = unreachable) {
  return findBinaries(['etcd'], { cacheDir: folder, env, fetch });
}

const cached = () => cachedPath(folder, catalog.etcd).slice(folder.length + 1);

test('the cache comes first, without asking what is installed or the network', async () => {
  program('assets/etcd', `echo "etcd Version: ${catalog.etcd.version.slice(1)}"; touch ${folder}/asked`);
  const wanted = program(cached(), 'exit 1');
  expect(await find()).toEqual({ etcd: wanted });
  expect(asked).toEqual([]);
});

test('KUBEBUILDER_ASSETS comes before PATH', async () => {
  const wanted = program('assets/etcd', 'echo "etcd Version: 3.6.1"');
  program('path/etcd', 'echo "etcd Version: 3.6.2"');
  expect(await find()).toEqual({ etcd: wanted });
});

test.each([
  ['is too old', 'echo "etcd Version: 3.4.30"'],
  ['is too new', 'echo "etcd Version: 3.7.0"'],
  ['does not tell its version', 'exit 3'],
])('an installed program that %s is passed over', async (_what, script) => {
  program('assets/etcd', script);
  const wanted = program('path/etcd', 'echo "etcd Version: 3.6.0"');
  expect(await find()).toEqual({ etcd: wanted });
  expect(asked).toEqual([]);
});

test('a download comes before a build, and is in the cache afterwards', async () => {
  const release = catalog.kubectl.release?.(process.arch === 'x64' ? 'amd64' : process.arch);
  const body = '#!/bin/sh\n';
  const sum = createHash('sha256').update(body).digest('hex');
  const fetch: Fetch = async (url) => new Response(url === release?.checksumUrl ? sum : body);
  const options = { cacheDir: folder, env, fetch };
  expect(await findBinaries(['kubectl'], options)).toEqual({ kubectl: cachedPath(folder, catalog.kubectl) });
  const offline = { ...options, fetch: unreachable };
  expect(await findBinaries(['kubectl'], offline)).toEqual({ kubectl: cachedPath(folder, catalog.kubectl) });
  expect(asked).toEqual([]);
});

test('where every way fails, the error says why each did', async () => {
  const failure = find();
  await expect(failure).rejects.toThrow(/download: https:\/\/github\.com.* cannot be reached: getaddrinfo ENOTFOUND/);
  await expect(failure).rejects.toThrow(/build: .*go mod download.*go: no module proxy/s);
  await expect(failure).rejects.toMatchObject({ code: 'unavailable', retryable: false });
});

test('an address that cannot be reached is asked once, not for each of its files', async () => {
  program('path/go', 'exit 1');
  await expect(findBinaries(['kubelet', 'kubectl'], { cacheDir: folder, env, fetch: unreachable })).rejects.toThrow();
  expect(asked).toHaveLength(1);
});

test('the cache folder is TENTACULAR_CACHE, else below the home folder', () => {
  expect(cacheFolder({ TENTACULAR_CACHE: '/srv/cache' })).toBe('/srv/cache');
  expect(cacheFolder({})).toMatch(/\/\.cache\/tentacular$/);
});
