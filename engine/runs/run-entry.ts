import type { NodeReport, RunError, RunOutcome } from '../run/execute.ts';
import { cutMessage } from '../run/failure.ts';
import { cutText } from '../run/json-value.ts';

/** Bytes of JSON of a run's outputs that are kept after it was answered. */
export const keptOutputBytes = 64 * 1024;

/** How a run ended, with secrets taken out: what callers see. */
export interface FinishedRun {
  readonly success: boolean;
  readonly durationMs: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly nodes: readonly NodeReport[];
  readonly error?: RunError;
  /** JSON text of an object: output by node. Cut short if `outputsTruncated`, and then no longer JSON. */
  readonly outputsText: string;
  readonly outputsTruncated: boolean;
}

/** One run: under way until `finished` is set. */
export interface RunEntry {
  readonly runId: string;
  /** As in the header: `manual`, `cron:daily`, `queue:orders`. */
  readonly trigger: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Resolves, never rejects, with the complete outputs. */
  readonly done: Promise<FinishedRun>;
  /** What is kept of the result: outputs of at most 64 KiB. */
  finished?: FinishedRun;
}

/** @param redact takes secrets out of a message; `redactJson` out of the JSON text of an output */
export function finishedRun(
  outcome: RunOutcome,
  finishedAt: number,
  redact: { readonly text: (text: string) => string; readonly json: (text: string) => string },
): FinishedRun {
  const shown = (message: string) => cutMessage(redact.text(message));
  const outputs = [...outcome.outputs].map(([name, text]) => `${JSON.stringify(name)}:${redact.json(text)}`);
  const result = {
    success: outcome.success,
    durationMs: outcome.durationMs,
    finishedAt,
    nodes: outcome.nodes.map((node) => (node.error === undefined ? node : { ...node, error: shown(node.error) })),
    outputsText: `{${outputs.join(',')}}`,
    outputsTruncated: false,
  };
  const { error } = outcome;
  return error === undefined ? result : { ...result, error: { ...error, message: shown(error.message) } };
}

/** The same with its outputs cut to what is kept; `maxBytes` 0 drops them. */
export function shortened(run: FinishedRun, maxBytes: number = keptOutputBytes): FinishedRun {
  const { text, cut } = cutText(run.outputsText, maxBytes);
  return cut ? { ...run, outputsText: text, outputsTruncated: true } : run;
}

/** The answer to `POST /run`. `repeated`: the run id was seen before, this is the first run's result. */
export function answerText(entry: RunEntry, run: FinishedRun, repeated: boolean): string {
  return objectText([
    ['success', JSON.stringify(run.success)],
    ['run_id', JSON.stringify(entry.runId)],
    ...resultFields(run),
    ...(repeated ? [field('repeated', true)] : []),
  ]);
}

/** One element of `GET /runs`, or with outputs the answer to `GET /runs/<id>`. */
export function recordText(entry: RunEntry, options: { readonly outputs: boolean }): string {
  const { finished } = entry;
  const fields = [
    field('run_id', entry.runId),
    field('trigger', entry.trigger),
    field('status', finished === undefined ? 'running' : finished.success ? 'succeeded' : 'failed'),
    field('started_at', new Date(entry.startedAt).toISOString()),
  ];
  if (finished === undefined) return objectText(fields);
  return objectText([
    ...fields,
    field('finished_at', new Date(finished.finishedAt).toISOString()),
    ...resultFields(finished).filter(([name]) => options.outputs || !name.startsWith('outputs')),
  ]);
}

type Field = readonly [name: string, valueText: string];

function resultFields(run: FinishedRun): Field[] {
  const outputs = run.outputsTruncated ? JSON.stringify(run.outputsText) : run.outputsText;
  return [
    ['outputs', outputs],
    ...(run.outputsTruncated ? [field('outputs_truncated', true)] : []),
    field('duration_ms', tenth(run.durationMs)),
    field('nodes', run.nodes.map(nodeRecord)),
    ...(run.error === undefined ? [] : [field('error', { node: run.error.node, message: run.error.message })]),
  ];
}

function nodeRecord({ name, status, attempts, durationMs, error }: NodeReport): object {
  return { name, status, attempts, duration_ms: tenth(durationMs), error };
}

function field(name: string, value: unknown): Field {
  return [name, JSON.stringify(value)];
}

// By hand, because outputs are text already: parsing megabytes only to write them again is most of a run's overhead.
function objectText(fields: readonly Field[]): string {
  return `{${fields.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function tenth(durationMs: number): number {
  return Math.round(durationMs * 10) / 10;
}
