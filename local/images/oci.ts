import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import { bytesContent, fileContent, type TarContent, type TarEntry, tarSizeBytes, tarStream } from './tar.ts';

/** One file, directory or symlink of a layer. Exactly one of content, sourceFile, symlink, directory is given. */
export interface ImageFile {
  /** Path in the image; a leading slash is ignored, `..` is refused. Parent directories appear by themselves (0755, root). */
  readonly path: string;
  /** Permission bits. Default `0o644` for files, `0o755` for directories, `0o777` for symlinks. */
  readonly mode?: number;
  /** Default 0. */
  readonly uid?: number;
  /** Default 0. */
  readonly gid?: number;
  readonly content?: string | Uint8Array;
  /** A file on this machine, streamed. Its own mode and owner are not looked at. */
  readonly sourceFile?: string;
  /** Target of a symlink. */
  readonly symlink?: string;
  readonly directory?: true;
}

/** Becomes one uncompressed layer: equal files give an equal digest, so that images share it in the image store. */
export interface ImageLayer {
  readonly files: readonly ImageFile[];
}

/** What the runtime reads from the image (OCI image-spec, config.md). Nothing has a default. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `uid`, `uid:gid` or a name in /etc/passwd. Numeric, where Pod Security is to verify runAsNonRoot. */
  readonly user?: string;
  readonly workingDir?: string;
  /** TCP ports. */
  readonly exposedPorts?: readonly number[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ImageSpec {
  /** Full name with domain and tag, e.g. `localhost/pause:1`. */
  readonly ref: string;
  /** Bottom first. */
  readonly layers: readonly ImageLayer[];
  readonly config: ImageConfig;
  /** Default: this machine's, in Go's words (`amd64`, `arm64`). */
  readonly architecture?: string;
}

export interface ImageDescription {
  readonly ref: string;
  /** `sha256:…` of the manifest: what the image store calls the image's digest. */
  readonly digest: string;
  /** Config and layers together. */
  readonly sizeBytes: number;
}

interface Blob {
  readonly digest: string;
  readonly content: TarContent;
}

interface AssembledImage extends ImageDescription {
  readonly entries: readonly TarEntry[];
}

/**
 * Writes an OCI image layout (image-spec v1, image-layout.md) as a tar that `ctr images import` reads.
 * Reproducible: mtime 0, sorted paths, root as owner unless told otherwise. Layers are streamed.
 * @throws TentacularError `invalid_input` with every fault of the spec; an I/O error of a source file as it is.
 */
export async function writeImage(spec: ImageSpec, tarPath: string): Promise<ImageDescription> {
  const image = await assemble(spec);
  await mkdir(dirname(tarPath), { recursive: true });
  // Written aside and renamed: a killed run leaves no half image under the final name.
  const partPath = `${tarPath}.${process.pid}.part`;
  try {
    await pipeline(Readable.from(tarStream(image.entries)), createWriteStream(partPath));
    await rename(partPath, tarPath);
  } finally {
    await rm(partPath, { force: true });
  }
  return { ref: image.ref, digest: image.digest, sizeBytes: image.sizeBytes };
}

/** Digest and size of the image that `writeImage` would write, without writing it: reads every source file once. */
export async function describeImage(spec: ImageSpec): Promise<ImageDescription> {
  const { ref, digest, sizeBytes } = await assemble(spec);
  return { ref, digest, sizeBytes };
}

async function assemble(spec: ImageSpec): Promise<AssembledImage> {
  const faults = faultsOf(spec);
  if (faults.length > 0) throw invalidInput(`Image ${spec.ref}`, faults);
  const layers = await Promise.all(spec.layers.map(layerBlob));
  const config = jsonBlob(configOf(spec, layers));
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: layers.map((layer) => descriptor('application/vnd.oci.image.layer.v1.tar', layer)),
  });
  const index = jsonBlob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...descriptor('application/vnd.oci.image.manifest.v1+json', manifest),
        annotations: { 'io.containerd.image.name': spec.ref, 'org.opencontainers.image.ref.name': tagOf(spec.ref) },
        platform: { architecture: architectureOf(spec), os: 'linux' },
      },
    ],
  });
  const blobs = new Map([...layers, config, manifest].map((blob) => [blob.digest, blob]));
  const entries = [
    entry('oci-layout', bytesContent(Buffer.from('{"imageLayoutVersion":"1.0.0"}'))),
    entry('index.json', index.content),
    directory('blobs'),
    directory('blobs/sha256'),
    ...[...blobs.values()]
      .sort((a, b) => compareBytes(a.digest, b.digest))
      .map((blob) => entry(`blobs/sha256/${blob.digest.slice('sha256:'.length)}`, blob.content)),
  ];
  const sizeBytes = [...layers, config].reduce((sum, blob) => sum + blob.content.sizeBytes, 0);
  return { ref: spec.ref, digest: manifest.digest, sizeBytes, entries };
}

async function layerBlob(layer: ImageLayer): Promise<Blob> {
  const entries = await layerEntries(layer);
  const hash = createHash('sha256');
  for await (const chunk of tarStream(entries)) hash.update(chunk);
  return {
    digest: `sha256:${hash.digest('hex')}`,
    content: { sizeBytes: tarSizeBytes(entries), read: () => tarStream(entries) },
  };
}

async function layerEntries(layer: ImageLayer): Promise<TarEntry[]> {
  const entries = new Map<string, TarEntry>();
  for (const file of layer.files) {
    const path = normalize(file.path);
    for (let cut = path.indexOf('/'); cut !== -1; cut = path.indexOf('/', cut + 1)) {
      const parent = path.slice(0, cut);
      if (!entries.has(parent)) entries.set(parent, directory(parent));
    }
    entries.set(path, await layerEntry(path, file));
  }
  return [...entries.values()].sort((a, b) => compareBytes(a.path, b.path));
}

async function layerEntry(path: string, file: ImageFile): Promise<TarEntry> {
  const owner = { path, uid: file.uid ?? 0, gid: file.gid ?? 0 };
  if (file.directory) return { ...owner, type: 'directory', mode: file.mode ?? 0o755 };
  if (file.symlink !== undefined) return { ...owner, type: 'symlink', mode: file.mode ?? 0o777, target: file.symlink };
  const content =
    file.sourceFile === undefined ? bytesContent(Buffer.from(file.content ?? '')) : await fileContent(file.sourceFile);
  return { ...owner, type: 'file', mode: file.mode ?? 0o644, content };
}

function configOf(spec: ImageSpec, layers: readonly Blob[]) {
  const { entrypoint, cmd, env, user, workingDir, exposedPorts, labels } = spec.config;
  return {
    created: '1970-01-01T00:00:00Z',
    architecture: architectureOf(spec),
    os: 'linux',
    config: {
      ...(user !== undefined && { User: user }),
      ...(exposedPorts !== undefined && {
        ExposedPorts: Object.fromEntries([...exposedPorts].sort((a, b) => a - b).map((port) => [`${port}/tcp`, {}])),
      }),
      ...(env !== undefined && { Env: sortedPairs(env).map(([name, value]) => `${name}=${value}`) }),
      ...(entrypoint !== undefined && { Entrypoint: entrypoint }),
      ...(cmd !== undefined && { Cmd: cmd }),
      ...(workingDir !== undefined && { WorkingDir: workingDir }),
      ...(labels !== undefined && { Labels: Object.fromEntries(sortedPairs(labels)) }),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
  };
}

function faultsOf(spec: ImageSpec): Fault[] {
  const faults: Fault[] = [];
  // containerd completes no short names on import: without a domain the kubelet never finds the image.
  if (!/^(localhost|[^/]*[.:][^/]*)\/[a-z0-9][a-z0-9._/-]*:[\w][\w.-]{0,127}$/.test(spec.ref)) {
    faults.push({
      path: 'ref',
      message: 'must be a full image name',
      found: spec.ref,
      allowed: 'domain/name:tag, e.g. localhost/pause:1',
    });
  }
  spec.layers.forEach((layer, layerIndex) => {
    const seen = new Set<string>();
    layer.files.forEach((file, fileIndex) => {
      const at = `layers[${layerIndex}].files[${fileIndex}]`;
      const path = normalize(file.path);
      if (path === '' || path.split('/').some((part) => part === '' || part === '.' || part === '..'))
        faults.push({ path: `${at}.path`, message: 'must be a plain path', found: file.path, allowed: 'a/b/c' });
      if (seen.has(path)) faults.push({ path: `${at}.path`, message: 'must appear once in a layer', found: file.path });
      seen.add(path);
      const kinds = [file.content, file.sourceFile, file.symlink, file.directory].filter((kind) => kind !== undefined);
      if (kinds.length !== 1)
        faults.push({
          path: at,
          message: 'must have exactly one kind',
          found: kinds.length,
          allowed: 'content, sourceFile, symlink or directory',
        });
    });
  });
  return faults;
}

function descriptor(mediaType: string, blob: Blob) {
  return { mediaType, digest: blob.digest, size: blob.content.sizeBytes };
}

function jsonBlob(value: object): Blob {
  const bytes = Buffer.from(JSON.stringify(value));
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, content: bytesContent(bytes) };
}

function entry(path: string, content: TarContent): TarEntry {
  return { path, type: 'file', mode: 0o644, uid: 0, gid: 0, content };
}

function directory(path: string): TarEntry {
  return { path, type: 'directory', mode: 0o755, uid: 0, gid: 0 };
}

function normalize(path: string): string {
  return path.replace(/^\/+/, '').replace(/\/$/, '');
}

function architectureOf(spec: ImageSpec): string {
  return spec.architecture ?? (process.arch === 'x64' ? 'amd64' : process.arch);
}

function tagOf(ref: string): string {
  return ref.slice(ref.lastIndexOf(':') + 1);
}

function sortedPairs(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => compareBytes(a, b));
}

/** Code unit order: the same on every machine, unlike localeCompare. */
function compareBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
