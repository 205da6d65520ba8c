import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, isJsonObject, type JsonObject } from '../../constructs/model/json.ts';
import { runCommand } from '../run-command.ts';

/** A Helm release and the cluster that it is in. */
export interface Release {
  readonly helm: string;
  readonly kubeconfig: string;
  readonly name: string;
  readonly namespace: string;
  /** Folder of the chart. */
  readonly chart: string;
}

const helmTimeoutMs = 180_000;

/**
 * Installs or upgrades a release; does nothing where the chart and the values are those of the release that is there.
 * Mends what an interrupted Helm left behind.
 * @returns What was done.
 * @throws TentacularError with Helm's own output.
 */
export async function ensureRelease(release: Release, values: JsonObject): Promise<'unchanged' | 'installed'> {
  const digest = await releaseDigest(release.chart, values);
  const live = await releaseStatus(release);
  if (live?.status === 'deployed' && live.description === describeDigest(digest)) return 'unchanged';
  if (live?.status.startsWith('pending-') || live?.status === 'uninstalling') await mend(release, live);
  await helm(
    release,
    ['upgrade', release.name, release.chart, '--install', '--create-namespace', '--history-max', '5', '--values', '-'],
    { extra: ['--description', describeDigest(digest)], input: JSON.stringify(values) },
  );
  return 'installed';
}

interface ReleaseStatus {
  readonly status: string;
  readonly description: string;
  readonly revision: number;
}

/** The latest revision of a release; undefined where there is none. */
async function releaseStatus(release: Release): Promise<ReleaseStatus | undefined> {
  let output: string;
  try {
    output = await helm(release, ['history', release.name, '--max', '1', '--output', 'json']);
  } catch (error) {
    if (error instanceof Error && error.message.includes('release: not found')) return undefined;
    throw error;
  }
  const [latest]: unknown[] = JSON.parse(output);
  if (!isJsonObject(latest)) return undefined;
  const { status, description, revision } = latest;
  return { status: String(status), description: String(description), revision: Number(revision) };
}

/**
 * Helm refuses to touch a release that an earlier call left `pending`. A first install is taken away; of an upgrade
 * only its record goes, so that the revision before it counts again.
 */
async function mend(release: Release, live: ReleaseStatus): Promise<void> {
  if (live.revision === 1 || live.status === 'uninstalling') {
    await helm(release, ['uninstall', release.name, '--ignore-not-found', '--wait']);
  } else {
    await helm(release, ['rollback', release.name, String(live.revision - 1)]);
  }
}

function helm(
  release: Release,
  args: readonly string[],
  options: { extra?: readonly string[]; input?: string } = {},
): Promise<string> {
  const where = ['--kubeconfig', release.kubeconfig, '--namespace', release.namespace];
  return runCommand(release.helm, [...args, ...where, ...(options.extra ?? [])], {
    timeoutMs: helmTimeoutMs,
    ...(options.input !== undefined && { input: options.input }),
    hint: 'Its output says which object or value is at fault; the chart is charts/tentacular-mcp.',
  });
}

function describeDigest(digest: string): string {
  return `chart and values ${digest}`;
}

/** sha256 (hex) over every file of the chart and the values. */
async function releaseDigest(chart: string, values: JsonObject): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(chart, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of files.sort())
    hash
      .update(`${file.slice(chart.length)}\0`)
      .update(await readFile(file))
      .update('\0');
  return hash.update(canonicalJson(values)).digest('hex');
}
