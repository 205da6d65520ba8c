import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { satisfies } from 'semver';
import { TentacularError } from '../../constructs/model/errors.ts';
import { withLock } from '../lock.ts';
import { type Progress, silentProgress } from '../progress.ts';
import { runCommand } from '../run-command.ts';
import { type BinaryName, type BinarySpec, catalog } from './catalog.ts';
import { downloadRelease, type Fetch } from './download.ts';
import { buildFromModule } from './go-build.ts';

const VERSION_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 60 * 60_000;

export interface FindOptions {
  /** Folder of everything that is kept outside the checkout. Default: see `cacheFolder`. */
  readonly cacheDir?: string;
  readonly progress?: Progress;
  readonly env?: NodeJS.ProcessEnv;
  readonly fetch?: Fetch;
}

/** `TENTACULAR_CACHE`, else `~/.cache/tentacular`. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.TENTACULAR_CACHE || join(homedir(), '.cache', 'tentacular');
}

/** Where a binary lies in the cache. Files that belong to it (Calico's manifests) lie beside it. */
export function cachedPath(cacheDir: string, spec: BinarySpec): string {
  return join(cacheDir, 'bin', `${spec.tool}-${spec.version}`, spec.name);
}

/**
 * Paths of binaries, each found in this order: the cache, `KUBEBUILDER_ASSETS` and `PATH` (only where the version fits),
 * a download from the project's release address (sha256 verified), a build from its Go module.
 * @throws TentacularError `unavailable` that says why each way failed.
 */
export async function findBinaries<Name extends BinaryName>(
  names: readonly Name[],
  options: FindOptions = {},
): Promise<Record<Name, string>> {
  const search = {
    cacheDir: options.cacheDir ?? cacheFolder(options.env),
    progress: options.progress ?? silentProgress,
    env: options.env ?? process.env,
    fetch: options.fetch ?? globalThis.fetch,
  };
  const unreachable = new Set<string>();
  const found: Partial<Record<Name, string>> = {};
  // One after the other: a Go build takes all cores by itself.
  for (const name of names) found[name] = await findBinary(catalog[name], search, unreachable);
  return found as Record<Name, string>;
}

type Search = Required<FindOptions>;

async function findBinary(spec: BinarySpec, search: Search, unreachable: Set<string>): Promise<string> {
  const target = cachedPath(search.cacheDir, spec);
  if (await isExecutable(target)) return target;
  const installed = await findInstalled(spec, search.env);
  if (installed !== undefined) return installed;
  // Two checkouts may want the same binary at once: the second waits and finds it in the cache.
  return withLock(`${search.cacheDir}/bin`, { timeoutMs: LOCK_TIMEOUT_MS, progress: search.progress }, async () => {
    if (await isExecutable(target)) return target;
    const reasons: string[] = [];
    for (const way of [download, build]) {
      const reason = await way(spec, target, search, unreachable);
      if (reason === undefined) return target;
      reasons.push(reason);
    }
    throw new TentacularError('unavailable', `${spec.name} ${spec.version} could not be had: ${reasons.join('; ')}`, {
      hint: `Make one of these ways work, or put the binary at ${target}.`,
      retryable: false,
    });
  });
}

/** `undefined` where it worked, else why it did not. */
type Way = (spec: BinarySpec, target: string, search: Search, unreachable: Set<string>) => Promise<string | undefined>;

const download: Way = async (spec, target, { progress, fetch }, unreachable) => {
  const release = spec.release?.(process.arch === 'x64' ? 'amd64' : process.arch);
  if (!release) return 'download: the project publishes no such file';
  const host = new URL(release.url).host;
  if (unreachable.has(host)) return `download: ${host} cannot be reached`;
  const label = `${spec.name} ${spec.version}: downloading from ${host}`;
  const reason = await reasonOfFailure(() =>
    progress.step(label, (report) => downloadRelease(release, target, report, fetch)),
  );
  if (reason !== undefined) unreachable.add(host);
  return reason && `download: ${reason}`;
};

const build: Way = async (spec, target, { progress, cacheDir, env }) => {
  const label = `${spec.name} ${spec.version}: building from ${spec.build.module}`;
  const reason = await reasonOfFailure(() =>
    progress.step(label, (report) => buildFromModule(spec.build, target, { cacheDir, env }, report)),
  );
  return reason && `build: ${reason}`;
};

async function reasonOfFailure(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof TentacularError)) throw error;
    return `${error.message} ${error.hint}`;
  }
}

async function findInstalled(spec: BinarySpec, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  if (!spec.installed) return undefined;
  const folders = [env.KUBEBUILDER_ASSETS ?? '', ...(env.PATH ?? '').split(':')].filter((path) => path !== '');
  for (const folder of folders) {
    const candidate = join(folder, spec.name);
    if (!(await isExecutable(candidate))) continue;
    const version = await versionOf(candidate, spec.installed.versionArgs);
    if (version !== undefined && satisfies(version, spec.installed.range)) return candidate;
  }
  return undefined;
}

/** The first three-part number that a program prints when asked for its version; `undefined` where it does not answer. */
async function versionOf(path: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const output = await runCommand(path, args, { timeoutMs: VERSION_TIMEOUT_MS });
    return /\d+\.\d+\.\d+/.exec(output)?.[0];
  } catch (error) {
    // A broken or foreign program of that name is one that does not fit.
    if (error instanceof TentacularError) return undefined;
    throw error;
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
