import { createHash } from 'node:crypto';
import { access, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import { isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { goBinary } from '../images/files.ts';
import { type ImageSpec, writeImage } from '../images/oci.ts';
import { runCommand } from '../run-command.ts';
import type { Layout } from './layout.ts';
import { pauseImage } from './node.ts';
import type { Settings } from './settings.ts';

const IMPORT_TIMEOUT_MS = 5 * 60_000;
const MAX_INDEX_BYTES = 1 << 20;
const BLOCK_BYTES = 512;

/** Name and digest of the image in an OCI archive, from its index.json. */
interface ArchivedImage {
  readonly ref: string;
  readonly digest: string;
}

/** The two images of the cluster itself, as archives: pause, and CoreDNS under a name with its version. */
export async function ownImages(
  settings: Settings,
  layout: Layout,
  coredns: { path: string; version: string },
): Promise<{ archives: string[]; corednsRef: string }> {
  const pause = await goBinary(join(import.meta.dirname, '../pause'), settings.cacheDir);
  const corednsRef = `localhost/coredns:${coredns.version}`;
  const specs: ImageSpec[] = [
    {
      ref: pauseImage,
      layers: [{ files: [{ path: 'pause', mode: 0o755, sourceFile: pause }] }],
      config: { entrypoint: ['/pause'], user: '65534:65534' },
    },
    {
      ref: corednsRef,
      layers: [{ files: [{ path: 'coredns', mode: 0o755, sourceFile: coredns.path }] }],
      config: { entrypoint: ['/coredns'], user: '65534:65534' },
    },
  ];
  return { archives: await Promise.all(specs.map((spec) => ensureArchive(spec, layout))), corednsRef };
}

/**
 * Imports an OCI archive into containerd; where an image of that name and digest is already there, does nothing.
 * @throws TentacularError `cluster_error` where containerd refuses it.
 */
export async function importArchive(ctr: string, layout: Layout, archive: string): Promise<void> {
  const image = await readArchive(archive);
  const socket = ['-a', layout.containerdSocket, '-n', 'k8s.io'];
  const listed = await runCommand(ctr, [...socket, 'images', 'ls', `name==${image.ref}`]);
  if (listed.includes(image.digest)) return;
  await runCommand(ctr, [...socket, 'images', 'import', archive], { timeoutMs: IMPORT_TIMEOUT_MS });
}

/** Reads name and digest out of an archive without unpacking it: walks the tar's headers up to index.json. */
async function readArchive(archive: string): Promise<ArchivedImage> {
  const file = await open(archive);
  try {
    const header = Buffer.alloc(BLOCK_BYTES);
    for (let offset = 0; (await file.read(header, 0, BLOCK_BYTES, offset)).bytesRead === BLOCK_BYTES; ) {
      const name = header.toString('latin1', 0, 100).replace(/\0.*$/s, '');
      if (name === '') break;
      const sizeBytes = Number.parseInt(header.toString('latin1', 124, 135), 8);
      if (name === 'index.json' && sizeBytes <= MAX_INDEX_BYTES) {
        const body = Buffer.alloc(sizeBytes);
        await file.read(body, 0, sizeBytes, offset + BLOCK_BYTES);
        const image = imageOf(JSON.parse(body.toString('utf8')));
        if (image) return image;
        break;
      }
      offset += BLOCK_BYTES + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
    }
  } finally {
    await file.close();
  }
  throw new TentacularError('invalid_input', `${archive} is no OCI archive with a named image`, {
    hint: 'Make it with writeImage of local/images/oci.ts.',
  });
}

function imageOf(index: JsonObject): ArchivedImage | undefined {
  const first = Array.isArray(index.manifests) ? index.manifests[0] : undefined;
  if (!isJsonObject(first) || !isJsonObject(first.annotations)) return undefined;
  const ref = first.annotations['io.containerd.image.name'];
  return typeof ref === 'string' && typeof first.digest === 'string' ? { ref, digest: first.digest } : undefined;
}

/** Writes the archive unless one of the same sources is there: named after the identity of its source files. */
async function ensureArchive(spec: ImageSpec, layout: Layout): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(spec));
  for (const source of spec.layers.flatMap((layer) => layer.files.map((file) => file.sourceFile ?? ''))) {
    const { size, mtimeMs } = await stat(source);
    hash.update(`${size} ${mtimeMs}`);
  }
  const name = spec.ref.replace(/[/:]/g, '-');
  const archive = join(layout.images, `${name}-${hash.digest('hex').slice(0, 12)}.tar`);
  const isThere = await access(archive).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeImage(spec, archive);
  return archive;
}
