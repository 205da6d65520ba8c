import { isJsonObject, type JsonObject, type JsonValue } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { ToolOutput } from '../api/tools.ts';
import { isSince } from '../cluster/index.ts';
import { rowsWithin } from './page.ts';
import { cleanJson, cleanText, textLimits } from './untrusted.ts';

/** One run as lists show it and as it is recorded: never its outputs. */
export type RunSummary = ToolOutput<'wf_runs'>['runs'][number];
export type NodeRow = NonNullable<ToolOutput<'wf_run'>['nodes']>[number];

const statuses = ['succeeded', 'failed', 'running', 'unknown'] as const;
/** Characters that the nodes of one run may take in a reply. */
const nodesBudget = 10_000;

/** A run of `GET /runs` (engine.md), cleaned; undefined where it is none. */
export function summaryOf(run: JsonObject): RunSummary | undefined {
  const { run_id, trigger, started_at, duration_ms, error } = run;
  if (typeof run_id !== 'string' || typeof started_at !== 'string') return undefined;
  const failure = isJsonObject(error) ? error : {};
  return {
    run_id: cleanText(run_id, 128),
    trigger: typeof trigger === 'string' ? cleanText(trigger, textLimits.field) : 'manual',
    status: statuses.find((status) => status === run.status) ?? 'unknown',
    started_at: cleanText(started_at, 40),
    ...(typeof duration_ms === 'number' ? { duration_ms } : {}),
    ...(typeof failure.node === 'string' ? { failed_node: cleanText(failure.node, textLimits.field) } : {}),
    ...(typeof failure.message === 'string' ? { error: cleanText(failure.message, 300) } : {}),
  };
}

/** Runs of an engine that are of this Deployment: an engine that drains may be of one before it. */
export function ownRuns(runs: readonly JsonObject[], deployment: Manifest): RunSummary[] {
  return runs.flatMap((run) => summaryOf(run) ?? []).filter((run) => isSince(run.started_at, deployment));
}

/** A recorded summary; it was written by us, but anybody with rights in the namespace may have changed it. */
export function readSummary(entry: unknown): RunSummary | undefined {
  if (!isJsonObject(entry)) return undefined;
  const { failed_node, error } = entry;
  return summaryOf({ ...entry, error: { node: failed_node, message: error } });
}

export function nodeRows(nodes: readonly JsonValue[] | undefined): NodeRow[] | undefined {
  const rows = nodes?.flatMap((node) => {
    if (!isJsonObject(node) || typeof node.name !== 'string') return [];
    const { name, status, attempts, duration_ms, error } = node;
    return {
      name: cleanText(name, textLimits.field),
      status: typeof status === 'string' ? cleanText(status, 40) : 'unknown',
      ...(typeof attempts === 'number' && Number.isInteger(attempts) ? { attempts } : {}),
      ...(typeof duration_ms === 'number' ? { duration_ms } : {}),
      ...(typeof error === 'string' ? { error: cleanText(error, 500) } : {}),
    };
  });
  return rows && rowsWithin(rows, nodesBudget);
}

/** Longest output given as JSON, in characters; a longer one comes as pages of text. */
const maxOutputLength = 30_000;

/** What a workflow returned, cleaned; undefined where it is too long to be given as JSON. */
export function outputJson(outputs: JsonValue): JsonValue | undefined {
  const clean = cleanJson(outputs, maxOutputLength);
  return JSON.stringify(clean).length <= maxOutputLength ? clean : undefined;
}
