import { setTimeout as pause } from 'node:timers/promises';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import { labelKeys, managedBy, tentacleLabels, tentacleSelector } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { CallOptions, Cluster, EngineTarget } from '../cluster/index.ts';
import { ownRuns, type RunSummary, readSummary } from './run-summary.ts';

/** Summaries kept of one tentacle. */
export const keptRuns = 100;
/** Longest ConfigMap value written, in characters; far under the 1 MiB of an object. */
const maxRecordLength = 200_000;
const maxTries = 5;
/** How long a call waits for its record to be written; the writing goes on without it. */
const recordPatienceMs = 3000;
/** How long the engine may take to tell its runs before a redeploy goes on without them. */
const harvestTimeoutMs = 2000;
const dataKey = 'runs.json';

/**
 * Summaries of runs, without outputs, in the ConfigMap `<name>-runs` of the enclave: they outlive engine and server.
 * Written after each run through this server, and read out of the engine before a redeploy ends it, so that runs of
 * every trigger are there. Writers of all replicas meet by compare-and-swap; runs that end while a write is under way
 * share the next one, so a busy tentacle costs no more than one write at a time.
 */
export interface RunRecorder {
  /**
   * Adds summaries; one with a known id replaces it. Not where that Deployment is gone. Never rejects: a run is not
   * undone by its record.
   */
  record(target: EngineTarget, deployment: Manifest, summaries: readonly RunSummary[]): Promise<void>;
  /** Asks the engine that is about to go for its runs and adds them. Never rejects. */
  harvest(target: EngineTarget, deployment: Manifest | undefined, kube?: CallOptions): Promise<void>;
  /** Newest first. */
  read(target: EngineTarget, kube?: CallOptions): Promise<RunSummary[]>;
}

export function createRunRecorder(
  cluster: Pick<Cluster, 'reader' | 'writer' | 'engine' | 'deployment'>,
  warn: (message: string, error: unknown) => void,
): RunRecorder {
  const waiting = new Map<string, { summaries: RunSummary[]; written: Promise<void> }>();
  const writing = new Map<string, Promise<void>>();

  /** A ConfigMap of that name that is not ours is none: neither shown nor taken over. */
  async function live({ enclave, name }: EngineTarget, kube: CallOptions = {}): Promise<Manifest | undefined> {
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: enclave, name: `${name}-runs` };
    const found = await cluster.reader.get(ref, kube);
    const labels = found?.metadata.labels ?? {};
    const isOurs = Object.entries(tentacleSelector(enclave, name)).every(([key, value]) => labels[key] === value);
    return isOurs && labels[labelKeys.managedBy] === managedBy ? found : undefined;
  }

  async function write(target: EngineTarget, deployment: Manifest, added: readonly RunSummary[]): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const [before, there] = await Promise.all([live(target), cluster.deployment(target.enclave, target.name)]);
      // Removed since, or made anew by somebody else, who is not to read of these runs.
      if (!there || there.metadata.uid !== deployment.metadata.uid) return;
      const known = before ? readRecord(before) : [];
      const merged = mergeRuns(added, known);
      if (before && JSON.stringify(merged) === JSON.stringify(known)) return;
      try {
        await cluster.writer.apply(recordOf(target, deployment, before, merged));
        return;
      } catch (error) {
        if (attempt === maxTries || !(error instanceof TentacularError) || error.code !== 'conflict') throw error;
      }
    }
  }

  async function record(target: EngineTarget, deployment: Manifest, summaries: readonly RunSummary[]): Promise<void> {
    if (summaries.length === 0) return;
    const patience = new AbortController();
    const limit = pause(recordPatienceMs, undefined, { signal: patience.signal, ref: false }).catch(() => undefined);
    await Promise.race([enqueue(target, deployment, summaries), limit]);
    patience.abort();
  }

  /** Resolves when the summaries are written, or could not be. */
  function enqueue(target: EngineTarget, deployment: Manifest, summaries: readonly RunSummary[]): Promise<void> {
    const place = `${target.enclave}/${target.name}`;
    const key = `${place}/${deployment.metadata.uid}`;
    const next = waiting.get(key);
    if (next) {
      next.summaries.push(...summaries);
      return next.written;
    }
    const batch = [...summaries];
    const written = (writing.get(key) ?? Promise.resolve())
      .then(() => {
        waiting.delete(key);
        writing.set(key, written);
        return write(target, deployment, batch);
      })
      .catch((error: unknown) => warn(`the runs of ${place} could not be recorded`, error))
      .finally(() => {
        if (writing.get(key) === written) writing.delete(key);
      });
    waiting.set(key, { summaries: batch, written });
    return written;
  }

  return {
    record,
    async harvest(target, deployment, kube = {}) {
      if (!deployment) return;
      try {
        const runs = await cluster.engine.runs(target, { limit: keptRuns, timeoutMs: harvestTimeoutMs, call: kube });
        await record(target, deployment, ownRuns(runs, deployment));
      } catch (error) {
        // Without an engine that answers there are no runs to keep.
        if (error instanceof TentacularError && error.code === 'unavailable') return;
        warn(`the runs of ${target.enclave}/${target.name} could not be read before its redeploy`, error);
      }
    },
    async read(target, kube) {
      const found = await live(target, kube);
      return found ? readRecord(found) : [];
    },
  };
}

/** Both lists as one, newest first; the first list wins where both know a run, unless only the other knows its end. */
export function mergeRuns(first: readonly RunSummary[], second: readonly RunSummary[]): RunSummary[] {
  const byId = new Map<string, RunSummary>();
  for (const summary of [...first, ...second]) {
    const known = byId.get(summary.run_id);
    if (known === undefined || (!isOver(known) && isOver(summary))) byId.set(summary.run_id, summary);
  }
  return [...byId.values()].sort((a, b) => compareRuns(b, a)).slice(0, keptRuns);
}

function isOver(summary: RunSummary): boolean {
  return summary.status === 'succeeded' || summary.status === 'failed';
}

/** Sort key of a run: by start, then id. */
export function runKey(summary: RunSummary): string {
  return `${summary.started_at} ${summary.run_id}`;
}

function compareRuns(a: RunSummary, b: RunSummary): number {
  const [left, right] = [runKey(a), runKey(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function readRecord(configMap: Manifest): RunSummary[] {
  const text = configMap.data?.[dataKey];
  if (typeof text !== 'string' || text.length > maxRecordLength * 2) return [];
  try {
    const entries: unknown = JSON.parse(text);
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry) => readSummary(entry) ?? []).slice(0, keptRuns);
  } catch {
    // Somebody wrote something else into it; the next record replaces it.
    return [];
  }
}

function recordOf(
  { enclave, name }: EngineTarget,
  deployment: Manifest,
  before: Manifest | undefined,
  summaries: readonly RunSummary[],
): Manifest {
  const version = deployment.metadata.labels?.[labelKeys.version] ?? '0.0.0';
  const data: JsonObject = { [dataKey]: fitting(summaries) };
  const { uid, resourceVersion = '1' } = before?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: `${name}-runs`,
      namespace: enclave,
      labels: tentacleLabels(enclave, name, version),
      ...(uid ? { uid } : {}),
      resourceVersion,
    },
    data,
  };
}

function fitting(summaries: readonly RunSummary[]): string {
  let kept = [...summaries];
  let text = JSON.stringify(kept);
  while (text.length > maxRecordLength) {
    kept = kept.slice(0, Math.floor(kept.length / 2));
    text = JSON.stringify(kept);
  }
  return text;
}
