import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { TentacularError } from '../../../constructs/model/errors.ts';
import { describeImage, type ImageSpec, writeImage } from '../../../local/images/oci.ts';

const folder = mkdtempSync(join(tmpdir(), 'tentacular-oci-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const binary = join(folder, 'binary');
writeFileSync(binary, Buffer.alloc(3 << 20, 'x'));

const spec: ImageSpec = {
  ref: 'localhost/example:1',
  architecture: 'amd64',
  layers: [
    {
      files: [
        { path: '/usr/bin/example', mode: 0o755, sourceFile: binary },
        { path: 'tmp', mode: 0o1777, directory: true },
        { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
        { path: 'bin', symlink: 'usr/bin' },
      ],
    },
    { files: [{ path: 'app/main.js', content: 'run()', uid: 65534, gid: 65534 }] },
  ],
  config: {
    entrypoint: ['/usr/bin/example'],
    cmd: ['--serve'],
    env: { PATH: '/usr/bin', A: '1' },
    user: '65534:65534',
    workingDir: '/app',
    exposedPorts: [9090, 8080],
    labels: { b: '2', a: '1' },
  },
};

function unpack(tarPath: string, name: string): string {
  const target = mkdtempSync(join(folder, name));
  execFileSync('tar', ['-xf', tarPath, '-C', target]);
  return target;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

test('equal input gives equal bytes, whatever the order of files and the age and mode of a source file', async () => {
  const first = await writeImage(spec, join(folder, 'first.tar'));
  utimesSync(binary, 1, 1);
  chmodSync(binary, 0o600);
  const [base, app] = spec.layers;
  const shuffled = { ...spec, layers: [{ files: [...(base?.files ?? [])].reverse() }, { files: app?.files ?? [] }] };
  const second = await writeImage(shuffled, join(folder, 'second.tar'));
  expect(second).toEqual(first);
  expect(sha256(readFileSync(join(folder, 'second.tar')))).toBe(sha256(readFileSync(join(folder, 'first.tar'))));
});

test('one changed byte of a source file changes the digest', async () => {
  const before = await describeImage(spec);
  const changed = join(folder, 'changed');
  writeFileSync(changed, Buffer.concat([readFileSync(binary).subarray(1), Buffer.from('y')]));
  const [base, app] = spec.layers;
  const files = (base?.files ?? []).map((file) => (file.sourceFile ? { ...file, sourceFile: changed } : file));
  const after = await describeImage({ ...spec, layers: [{ files }, app ?? { files: [] }] });
  expect(after.digest).not.toBe(before.digest);
  expect(after.sizeBytes).toBe(before.sizeBytes);
});

test('the archive is an OCI image layout whose every blob has the digest and size that its descriptor names', async () => {
  const written = await writeImage(spec, join(folder, 'layout.tar'));
  const root = unpack(join(folder, 'layout.tar'), 'layout');
  const json = (path: string) => JSON.parse(readFileSync(join(root, path), 'utf8'));
  expect(json('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' });
  const [top] = json('index.json').manifests;
  expect(top.annotations['io.containerd.image.name']).toBe('localhost/example:1');
  expect(top.digest).toBe(written.digest);
  const blobPath = (digest: string) => `blobs/sha256/${digest.slice(7)}`;
  const manifest = json(blobPath(top.digest));
  for (const part of [top, manifest.config, ...manifest.layers]) {
    const bytes = readFileSync(join(root, blobPath(part.digest)));
    expect(`sha256:${sha256(bytes)}`).toBe(part.digest);
    expect(bytes.byteLength).toBe(part.size);
  }
  expect(readdirSync(join(root, 'blobs/sha256'))).toHaveLength(4);
  expect(json(blobPath(manifest.config.digest))).toEqual({
    created: '1970-01-01T00:00:00Z',
    architecture: 'amd64',
    os: 'linux',
    config: {
      User: '65534:65534',
      ExposedPorts: { '8080/tcp': {}, '9090/tcp': {} },
      Env: ['A=1', 'PATH=/usr/bin'],
      Entrypoint: ['/usr/bin/example'],
      Cmd: ['--serve'],
      WorkingDir: '/app',
      Labels: { a: '1', b: '2' },
    },
    rootfs: { type: 'layers', diff_ids: manifest.layers.map((layer: { digest: string }) => layer.digest) },
  });
});

test('a layer holds files, directories and symlinks with the mode and owner asked for, parents first, all of 1970', async () => {
  await writeImage(spec, join(folder, 'modes.tar'));
  const root = unpack(join(folder, 'modes.tar'), 'modes');
  const listings = readdirSync(join(root, 'blobs/sha256'))
    .map((name) => join(root, 'blobs/sha256', name))
    .filter((path) => !readFileSync(path).subarray(0, 1).equals(Buffer.from('{')))
    .map((path) => execFileSync('tar', ['--numeric-owner', '--utc', '-tvf', path], { encoding: 'utf8' }));
  const lines = listings
    .join('')
    .trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' '))
    .sort();
  expect(lines).toEqual(
    [
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 app/',
      '-rw-r--r-- 65534/65534 5 1970-01-01 00:00 app/main.js',
      'lrwxrwxrwx 0/0 0 1970-01-01 00:00 bin -> usr/bin',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 etc/',
      '-rw-r--r-- 0/0 17 1970-01-01 00:00 etc/nsswitch.conf',
      'drwxrwxrwt 0/0 0 1970-01-01 00:00 tmp/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/',
      'drwxr-xr-x 0/0 0 1970-01-01 00:00 usr/bin/',
      '-rwxr-xr-x 0/0 3145728 1970-01-01 00:00 usr/bin/example',
    ].sort(),
  );
});

test.each([
  ['in the prefix field', `${'d'.repeat(80)}/${'f'.repeat(60)}`],
  ['in a pax header', `${'d'.repeat(120)}/${'e'.repeat(120)}/${'f'.repeat(120)}`],
])('a long name survives %s', async (_where, path) => {
  const tarPath = join(folder, 'long.tar');
  await writeImage({ ...spec, layers: [{ files: [{ path, content: 'deep' }] }] }, tarPath);
  const root = unpack(tarPath, 'long');
  const layer = readdirSync(join(root, 'blobs/sha256'))
    .map((name) => join(root, 'blobs/sha256', name))
    .find((file) => !readFileSync(file).subarray(0, 1).equals(Buffer.from('{')));
  const content = execFileSync('tar', ['-xOf', layer ?? '', path], { encoding: 'utf8' });
  expect(content).toBe('deep');
});

test('every fault of a spec is told at once, and nothing is written', async () => {
  const hostile: ImageSpec = {
    ref: 'pause',
    layers: [
      {
        files: [
          { path: '../etc/passwd', content: '' },
          { path: 'a', content: '', directory: true },
          { path: '/a', content: '' },
        ],
      },
    ],
    config: {},
  };
  const failure = await writeImage(hostile, join(folder, 'hostile.tar')).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TentacularError);
  const faults = failure instanceof TentacularError ? failure.details?.faults : undefined;
  expect(faults).toMatchObject([
    { path: 'ref', found: 'pause' },
    { path: 'layers[0].files[0].path', found: '../etc/passwd' },
    { path: 'layers[0].files[1]', found: 2 },
    { path: 'layers[0].files[2].path', found: '/a' },
  ]);
  expect(readdirSync(folder)).not.toContain('hostile.tar');
});
