import { access, chmod, copyFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { Report } from '../progress.ts';
import { runCommand } from '../run-command.ts';
import type { GoBuild } from './catalog.ts';

/** A cold build of the largest binary takes 6 minutes on two cores. */
const BUILD_TIMEOUT_MS = 45 * 60_000;
const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;

export interface GoEnvironment {
  /** Folder that holds `go/build`, `go/mod` and the wrapper modules. */
  readonly cacheDir: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Builds a static binary from a Go module into `target`, and copies the module's extra files beside it.
 * `go install module@version` refuses modules with replace directives, so each gets a wrapper module that requires it.
 * @throws TentacularError `unavailable` without Go, `cluster_error` with the compiler's last lines.
 */
export async function buildFromModule(
  build: GoBuild,
  target: string,
  environment: GoEnvironment,
  report: Report,
): Promise<void> {
  const go = await findGo(environment.env);
  const env = goEnv(environment);
  report('fetching the module');
  const source = await downloadModule(go, build, env);
  const folder = join(
    environment.cacheDir,
    'go',
    'wrap',
    `${build.module}@${build.moduleVersion}`.replaceAll('/', '+'),
  );
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'go.mod'), wrapperGoMod(await readFile(join(source, 'go.mod'), 'utf8'), build));
  await copyFile(join(source, 'go.sum'), join(folder, 'go.sum'));
  await chmod(join(folder, 'go.sum'), 0o644);
  await compile(go, folder, build.package, build.variables ?? {}, target, env, report);
  for (const file of build.files ?? []) {
    const copy = join(dirname(target), basename(file));
    await copyFile(join(source, file), copy);
    await chmod(copy, 0o644);
  }
}

/**
 * Builds the program in `folder`, a Go module that needs no other, into `target`: a static binary with no trace of the
 * machine that built it. Equal sources and compiler give equal bytes.
 * @throws TentacularError `unavailable` without Go, `cluster_error` with the compiler's last lines.
 */
export async function buildFromFolder(folder: string, target: string, environment: GoEnvironment): Promise<void> {
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w -buildid=', '-o', target, '.'];
  await mkdir(dirname(target), { recursive: true });
  await runCommand(await findGo(environment.env), args, {
    cwd: folder,
    // It runs in a container, whatever this machine is.
    env: { ...goEnv(environment), GOOS: 'linux' },
    timeoutMs: BUILD_TIMEOUT_MS,
  });
}

/**
 * The wrapper's go.mod: the module's own requirements and replacements, without those that point to a folder of its
 * repository (their real versions come from `localReplacement`, or from the requirement), plus the module itself.
 */
export function wrapperGoMod(goMod: string, build: GoBuild): string {
  const replaced = new Map<string, string>();
  const kept = goMod.split('\n').filter((line) => {
    if (/^module\s/.test(line)) return false;
    const local = /^\s*(?:replace\s+)?(\S+)(?:\s+v\S+)?\s+=>\s+\.{1,2}\//.exec(line);
    if (!local?.[1]) return true;
    const version = build.localReplacement?.(local[1]);
    if (version !== undefined) replaced.set(local[1], version);
    return false;
  });
  // The requirement of a replaced module is a placeholder (v0.0.0); -trimpath writes it into every path of the binary.
  const required = kept.map((line) => {
    const module = /^\s+(\S+) v\S+(?: \/\/ indirect)?$/.exec(line)?.[1] ?? '';
    const version = replaced.get(module);
    return version === undefined ? line : `\t${module} ${version}`;
  });
  const replacements = [...replaced].map(([module, version]) => `replace ${module} => ${module} ${version}`);
  return [
    'module tentacular.local/build',
    ...required,
    `require ${build.module} ${build.moduleVersion}`,
    ...replacements,
    '',
  ].join('\n');
}

async function compile(
  go: string,
  folder: string,
  target: string,
  variables: Readonly<Record<string, string>>,
  output: string,
  env: NodeJS.ProcessEnv,
  report: Report,
): Promise<void> {
  report('fetching the modules that it needs');
  const listed = await runCommand(go, ['list', '-deps', target], { cwd: folder, env, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  const total = listed.trim().split('\n').length;
  const assignments = Object.entries(variables).map(([name, value]) => `-X ${name}=${value}`);
  let built = 0;
  report('linking');
  await mkdir(dirname(output), { recursive: true });
  // Built aside and renamed: a killed build leaves no half binary under the final name.
  const part = `${output}.${process.pid}.part`;
  try {
    const ldflags = ['-s', '-w', ...assignments].join(' ');
    await runCommand(go, ['build', '-v', '-trimpath', '-ldflags', ldflags, '-o', part, target], {
      cwd: folder,
      env,
      timeoutMs: BUILD_TIMEOUT_MS,
      // `go build -v` names the packages that it compiles; those in the build cache are not among them.
      onStderrLine: (line) => {
        if (!/^go: /.test(line)) report(`package ${++built} of at most ${total}`);
      },
      hint: 'Run it again to continue where it stopped; the Go build cache keeps what was compiled.',
    });
    await rename(part, output);
  } finally {
    await rm(part, { force: true });
  }
}

async function downloadModule(go: string, build: GoBuild, env: NodeJS.ProcessEnv): Promise<string> {
  const module = `${build.module}@${build.moduleVersion}`;
  const answer = await runCommand(go, ['mod', 'download', '-json', module], {
    env,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    hint: 'Check that the Go module proxy can be reached (go env GOPROXY).',
  });
  const parsed: unknown = JSON.parse(answer);
  if (typeof parsed === 'object' && parsed !== null && 'Dir' in parsed && typeof parsed.Dir === 'string')
    return parsed.Dir;
  throw new TentacularError('cluster_error', `go mod download ${module} named no folder`, {
    hint: 'Run `go clean -modcache` with GOMODCACHE set to the go/mod folder of the cache, and try again.',
  });
}

function goEnv({ cacheDir, env }: GoEnvironment): NodeJS.ProcessEnv {
  return {
    ...env,
    GOCACHE: join(cacheDir, 'go', 'build'),
    GOMODCACHE: join(cacheDir, 'go', 'mod'),
    CGO_ENABLED: '0',
    // No other flags of the person's own: the same input is to give the same binary.
    GOFLAGS: '-mod=mod',
    GOWORK: 'off',
    GO111MODULE: 'on',
  };
}

async function findGo(env: NodeJS.ProcessEnv): Promise<string> {
  const folders = [...(env.PATH ?? '').split(':').filter((folder) => folder !== ''), '/usr/local/go/bin'];
  for (const folder of folders) {
    const candidate = join(folder, 'go');
    const found = await access(candidate).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  throw new TentacularError('unavailable', 'Go was not found in PATH nor in /usr/local/go/bin', {
    hint: 'Install Go 1.24 or newer from https://go.dev/dl/ and run the same command again.',
    retryable: false,
  });
}
