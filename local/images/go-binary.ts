import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TentacularError } from '../../constructs/model/errors.ts';

const run = promisify(execFile);

export interface GoBuild {
  /** Folder of the module; it must need no other modules. */
  readonly source: string;
  /** File to write. */
  readonly output: string;
  /** Go's build cache. */
  readonly goCache: string;
}

/**
 * A static binary with no trace of the machine that built it: equal sources and compiler give equal bytes.
 * @throws TentacularError `unavailable` where Go is missing or the build fails.
 */
export async function buildGoBinary({ source, output, goCache }: GoBuild): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0', GOCACHE: goCache, GOFLAGS: '', GOOS: 'linux', GOWORK: 'off' };
  const args = ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w -buildid=', '-o', output, '.'];
  try {
    await run('go', args, { cwd: source, env, timeout: 300_000 });
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const said = cause instanceof Error && 'stderr' in cause ? `: ${String(cause.stderr).trim()}` : '';
    throw new TentacularError('unavailable', `Image: go cannot build ${source}${missing ? ': no go on PATH' : said}`, {
      hint: 'Go 1.24 or later makes the echo service: https://go.dev/dl, then the same command again.',
      cause,
    });
  }
}
