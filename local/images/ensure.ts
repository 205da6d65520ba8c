import { createHash } from 'node:crypto';
import { access, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { canonicalJson, isJsonObject } from '../../constructs/model/json.ts';
import { withLock } from '../lock.ts';
import { type ImageDefinition, type ImageName, imageDefinitions, imageNames } from './definitions.ts';
import { fileDigest, imageLayers } from './files.ts';
import { type ImageFile, type ImageLayer, writeImage } from './oci.ts';
import { keepNewest } from './prune.ts';

/** An image on disk, ready to be imported. */
export interface BuiltImage {
  /** Full name with tag. */
  readonly ref: string;
  /** `sha256:…` of the manifest. */
  readonly digest: string;
  /** Config and layers, uncompressed. */
  readonly sizeBytes: number;
  /** OCI image layout as a tar. */
  readonly tar: string;
}

export type BuiltImages = Readonly<Record<ImageName, BuiltImage>>;

export interface EnsureImagesOptions {
  /** Default: all of them. */
  readonly names?: readonly ImageName[];
  /** Default: the project that this file belongs to. */
  readonly root?: string;
  /** Told of each image that has to be made. Default: nobody. */
  readonly onBuild?: (name: ImageName) => void;
}

/** Archives of one image that are kept: the current one and the one before it, for the way back. */
const keptArchives = 2;
/** Longer than making an image takes anywhere. */
const lockTimeoutMs = 10 * 60_000;

/**
 * Every image as an archive under `<cacheDir>/images`, made only where its content has changed.
 * Equal sources, packages and definition give an equal name and digest.
 * @throws TentacularError where a tool that is needed is missing; esbuild's BuildFailure where a source does not compile.
 */
export async function ensureImages(cacheDir: string, options: EnsureImagesOptions = {}): Promise<BuiltImages> {
  const built: Partial<Record<ImageName, BuiltImage>> = {};
  for (const name of options.names ?? imageNames) built[name] = await ensureImage(name, cacheDir, options);
  return built as BuiltImages;
}

/** One of the images; as `ensureImages`. */
export async function ensureImage(
  name: ImageName,
  cacheDir: string,
  options: Pick<EnsureImagesOptions, 'root' | 'onBuild'> = {},
): Promise<BuiltImage> {
  const root = options.root ?? resolve(import.meta.dirname, '../..');
  const definition = imageDefinitions[name];
  const layers = await imageLayers(definition, { root, cacheDir });
  const key = await contentKey(definition, layers);
  const ref = `${definition.repository}:${await tagOf(definition, key, root)}`;
  const folder = join(cacheDir, 'images', name);
  const tar = join(folder, `${key}.tar`);
  const readKnown = () => readDescription(`${tar}.json`, tar, ref);
  const known = await readKnown();
  if (known !== undefined) return known;
  // Another checkout may be at it, and tidies up when it is done.
  return withLock(folder, { timeoutMs: lockTimeoutMs }, async () => {
    const meanwhile = await readKnown();
    if (meanwhile !== undefined) return meanwhile;
    options.onBuild?.(name);
    const { digest, sizeBytes } = await writeImage({ ref, layers, config: definition.config }, tar);
    await writeFile(`${tar}.json.part`, JSON.stringify({ ref, digest, sizeBytes }));
    await rename(`${tar}.json.part`, `${tar}.json`);
    await keepNewest(folder, '.tar', keptArchives);
    return { ref, digest, sizeBytes, tar };
  });
}

/** sha256 (hex) over everything that decides the image's bytes, without making it. */
async function contentKey(definition: ImageDefinition, layers: readonly ImageLayer[]): Promise<string> {
  const contents = await Promise.all(layers.map((layer) => Promise.all(layer.files.map(fileKey))));
  const config = canonicalJson(JSON.parse(JSON.stringify(definition)));
  return createHash('sha256')
    .update(`${config}\n${JSON.stringify(contents)}`)
    .digest('hex');
}

async function fileKey(file: ImageFile): Promise<string> {
  const content =
    file.sourceFile === undefined
      ? createHash('sha256')
          .update(file.content ?? file.symlink ?? '')
          .digest('hex')
      : await fileDigest(file.sourceFile);
  return [file.path, file.mode, file.uid, file.gid, file.directory, file.symlink !== undefined, content].join(' ');
}

async function tagOf(definition: ImageDefinition, key: string, root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const version = isJsonObject(manifest) && typeof manifest.version === 'string' ? manifest.version : '0.0.0';
  return definition.tag === 'version' ? version : `${version}-${key.slice(0, 12)}`;
}

/** What was written beside an archive; undefined where either is missing, or the name has changed. */
async function readDescription(path: string, tar: string, ref: string): Promise<BuiltImage | undefined> {
  try {
    await access(tar);
    const found: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (!isJsonObject(found) || found.ref !== ref) return undefined;
    const { digest, sizeBytes } = found;
    return typeof digest === 'string' && typeof sizeBytes === 'number' ? { ref, digest, sizeBytes, tar } : undefined;
  } catch {
    // nothing there yet, or a half-written description: the image is made again
    return undefined;
  }
}
