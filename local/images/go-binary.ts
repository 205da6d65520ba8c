import { runCommand } from '../run-command.ts';

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
 * @throws TentacularError `unavailable` where Go is missing, `cluster_error` with its output where the build fails.
 */
export async function buildGoBinary({ source, output, goCache }: GoBuild): Promise<void> {
  await runCommand('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', '-s -w -buildid=', '-o', output, '.'], {
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0', GOCACHE: goCache, GOFLAGS: '', GOOS: 'linux', GOWORK: 'off' },
    timeoutMs: 300_000,
    hint: 'Go 1.24 or later makes the echo service: https://go.dev/dl, then the same command again.',
  });
}
