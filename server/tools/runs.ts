import { TentacularError } from '../../constructs/model/errors.ts';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { wfRuns } from '../api/run.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import type { CallOptions, EngineTarget } from '../cluster/index.ts';
import type { ToolDependencies } from './dependencies.ts';
import { pageOf, textPage } from './page.ts';
import { runIdOf } from './run-id.ts';
import { keptRuns, mergeRuns, runKey } from './run-record.ts';
import { nodeRows, outputJson, ownRuns, type RunSummary, summaryOf } from './run-summary.ts';
import type { Tool } from './tool.ts';
import { cleanJson } from './untrusted.ts';

type Input = ToolInput<'wf_runs'>;
type Output = ToolOutput<'wf_runs'>;
type OneRun = NonNullable<Output['run']>;

/** How long the engine may take to tell its runs; without an answer the recorded summaries are shown. */
const engineTimeoutMs = 5000;

export function runsTool(deps: ToolDependencies): Tool<'wf_runs'> {
  return {
    name: 'wf_runs',
    title: 'Recent runs',
    description: [
      'Lists the recent runs of a tentacle, whatever started them: when, outcome, duration, failed node. With run_id: that run with its nodes and, while the engine still has it, its output.',
      'Use it to read the outcome of an asynchronous run, or to see since when runs fail. A long output comes in pages: send next_cursor as cursor.',
      'Summaries outlive a redeploy, outputs do not.',
    ].join('\n'),
    ...wfRuns,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube, principal }) {
      const { tentacle } = await admission.tentacle('wf_runs', input.enclave, input.name);
      const target = { enclave: input.enclave, name: input.name };
      const [recorded, remembered] = await Promise.all([
        deps.runs.read(target, kube),
        fromEngine(() => deps.cluster.engine.runs(target, { limit: keptRuns, timeoutMs: engineTimeoutMs, call: kube })),
      ]);
      const known = ownRuns(remembered ?? [], tentacle);
      const all = mergeRuns(known, remembered ? recorded.map((run) => settled(run, known)) : recorded);
      if (input.run_id !== undefined) {
        const ids = [...new Set([input.run_id, runIdOf(input.run_id, principal)])];
        return oneRun(deps, input, { target, tentacle, ids, all, reachable: remembered !== undefined, kube });
      }
      const { rows: runs, ...cursor } = pageOf(all, runKey, { ...input, descending: true });
      return { runs, engine_reachable: remembered !== undefined, ...cursor };
    },
  };
}

/** Undefined where the engine cannot be asked: no ready pod, draining, not answering. */
async function fromEngine<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof TentacularError && error.code !== 'invalid_input') return undefined;
    throw error;
  }
}

/** A run that was recorded while it ran and that a living engine does not know has ended with an engine before it. */
function settled(run: RunSummary, known: readonly RunSummary[]): RunSummary {
  const lost = run.status === 'running' && !known.some(({ run_id }) => run_id === run.run_id);
  return lost ? { ...run, status: 'unknown' } : run;
}

interface WantedRun {
  readonly target: EngineTarget;
  readonly tentacle: Manifest;
  /** The id that was sent, and the one that it means as a key of this caller. */
  readonly ids: readonly string[];
  readonly all: readonly RunSummary[];
  readonly reachable: boolean;
  readonly kube: CallOptions;
}

async function oneRun(
  { cluster }: ToolDependencies,
  input: Input,
  { target, tentacle, ids, all, reachable, kube }: WantedRun,
): Promise<Output> {
  const options = { timeoutMs: engineTimeoutMs, call: kube };
  let record: JsonObject | undefined;
  for (const id of reachable ? ids : []) record ??= await fromEngine(() => cluster.engine.findRun(target, id, options));
  if (record && ownRuns([record], tentacle).length === 0) record = undefined;
  const summary = (record && summaryOf(record)) ?? all.find((run) => ids.includes(run.run_id));
  if (!summary) throw runNotFound(input, input.run_id ?? '');
  const { run, ...cursor } = detailed(summary, record, input.cursor);
  return { runs: [summary], run, engine_reachable: reachable, ...cursor };
}

function detailed(summary: RunSummary, record: JsonObject | undefined, cursor: string | undefined) {
  const nodes = Array.isArray(record?.nodes) ? nodeRows(record.nodes) : undefined;
  const run: OneRun = { ...summary, ...(nodes ? { nodes } : {}) };
  const outputs = record?.outputs;
  if (outputs === undefined) return { run };
  const whole = record?.outputs_truncated === true || cursor !== undefined ? undefined : outputJson(outputs);
  if (whole !== undefined) return { run: { ...run, output: whole } };
  const clean = cleanJson(outputs, Number.MAX_SAFE_INTEGER);
  const { text, ...next } = textPage(typeof clean === 'string' ? clean : JSON.stringify(clean), cursor);
  return {
    run: { ...run, output_text: text, output_truncated: record?.outputs_truncated === true },
    ...next,
  };
}

function runNotFound({ enclave, name }: Input, run_id: string): TentacularError {
  return new TentacularError(
    'not_found',
    `Neither the engine nor the record of "${name}" in "${enclave}" knows the run "${run_id}".`,
    {
      hint: 'wf_runs without run_id lists the runs that are known; the last 100 are.',
    },
  );
}
