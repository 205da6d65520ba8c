import type { Workflow } from '../constructs/workflow/workflow.ts';
import type { Context, TriggerInfo } from './api.ts';
import { contextFactory } from './context/context.ts';
import type { Redactor } from './context/redact.ts';
import type { Secrets } from './context/secrets.ts';
import { type Logger, limitedLog } from './log/logger.ts';
import { nodeScope } from './log/scope.ts';
import { executeRun, type RunHooks, type RunOutcome } from './run/execute.ts';
import { failureOf } from './run/failure.ts';
import type { Plan } from './run/plan.ts';
import { pause, type Time } from './run/time.ts';
import { type FinishedRun, finishedRun, type RunEntry, shortened } from './runs/run-entry.ts';
import { RunHistory } from './runs/run-history.ts';
import { type RunStatistics, Statistics } from './runs/statistics.ts';
import { describeTrigger } from './runs/trigger.ts';
import type { TraceContext } from './trace/context.ts';

/** How long a drained engine waits for nodes that were told to stop and are still tidying up. */
const tidyUpMs = 2000;
/** Log lines of one attempt of one node; what is beyond is dropped, and said so. */
const maxLinesPerAttempt = 5000;

export interface EngineOptions {
  readonly workflow: Workflow;
  readonly enclave: string;
  readonly tentacle: string;
  readonly version: string;
  readonly secrets: Secrets;
  readonly redactor: Redactor;
  readonly log: Logger;
  readonly time: Time;
  readonly fetch: typeof globalThis.fetch;
}

/** One request to run. */
export interface Job {
  readonly runId: string;
  readonly trigger: TriggerInfo;
  /** JSON text. */
  readonly inputText: string;
  readonly trace?: TraceContext;
}

export type EngineState = 'loading' | 'ready' | 'draining';

export type StartResult =
  | { readonly kind: 'started' | 'repeated'; readonly entry: RunEntry }
  | { readonly kind: 'busy'; readonly maxConcurrency: number }
  | { readonly kind: 'unavailable'; readonly state: EngineState };

/** `GET /health?detail=1` without the status. */
export interface EngineDetail extends RunStatistics {
  readonly enclave: string;
  readonly tentacle: string;
  readonly version: string;
  readonly uptime_ms: number;
  readonly in_flight: number;
  /** Nodes that ignored their signal and run on though their run is over. */
  readonly abandoned_nodes: number;
  /** Errors that a node left behind outside of its own promise. */
  readonly unhandled_errors: number;
}

/** Accepts, runs and remembers runs of one workflow. Knows neither HTTP nor Deno. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #startedAt: number;
  readonly #history = new RunHistory();
  readonly #statistics: Statistics;
  readonly #running = new Set<RunEntry>();
  /** Nodes whose attempt is over and that have not ended: on their way out, or deaf to their signal. */
  readonly #abandoned = new Set<Promise<void>>();
  readonly #shutdown = new AbortController();
  #plan: Plan<Context> | undefined;
  #draining = false;
  #unhandledErrors = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#startedAt = options.time.elapsed();
    this.#statistics = new Statistics(Object.keys(options.workflow.nodes));
  }

  get state(): EngineState {
    if (this.#draining) return 'draining';
    return this.#plan === undefined ? 'loading' : 'ready';
  }

  /** From here on runs are accepted. */
  ready(plan: Plan<Context>): void {
    this.#plan = plan;
  }

  /** Starts a run, or finds the one that this id names. */
  start(job: Job): StartResult {
    const known = this.#history.find(job.runId);
    if (known !== undefined) return { kind: 'repeated', entry: known };
    const plan = this.#plan;
    if (plan === undefined || this.#draining) return { kind: 'unavailable', state: this.state };
    const { maxConcurrency } = this.#options.workflow.config;
    if (this.#running.size >= maxConcurrency) return { kind: 'busy', maxConcurrency };
    const entry: RunEntry = {
      runId: job.runId,
      trigger: describeTrigger(job.trigger),
      startedAt: this.#options.time.now(),
      done: Promise.resolve().then(() => this.#run(plan, job, entry)),
    };
    this.#running.add(entry);
    this.#history.add(entry);
    return { kind: 'started', entry };
  }

  find(runId: string): RunEntry | undefined {
    return this.#history.find(runId);
  }

  /** The last 100, the newest first. */
  runs(): readonly RunEntry[] {
    return this.#history.list();
  }

  detail(): EngineDetail {
    const { enclave, tentacle, version, time } = this.#options;
    return {
      enclave,
      tentacle,
      version,
      uptime_ms: Math.round(time.elapsed() - this.#startedAt),
      in_flight: this.#running.size,
      abandoned_nodes: this.#abandoned.size,
      unhandled_errors: this.#unhandledErrors,
      ...this.#statistics.snapshot(),
    };
  }

  /** An error that reached nobody: logged and counted, the process lives on. */
  unhandled(message: string): void {
    this.#unhandledErrors++;
    const scope = nodeScope.getStore();
    const fields = scope === undefined ? {} : { node: scope.node, run_id: scope.runId };
    this.#options.log.error(`unhandled error of a node: ${message}`, fields);
  }

  /**
   * Takes no more runs, waits for those under way, at most `graceMs`; what is left then ends as failed.
   * @returns the number of runs that had to be cut off
   */
  async drain(graceMs: number): Promise<number> {
    this.#draining = true;
    const { time } = this.#options;
    await this.#within(graceMs, this.#allDone());
    const left = this.#running.size;
    this.#shutdown.abort();
    await this.#allDone();
    await this.#within(Math.min(tidyUpMs, graceMs), Promise.all(this.#abandoned));
    this.#options.log.info('drained', { cut_off: left, uptime_ms: Math.round(time.elapsed() - this.#startedAt) });
    return left;
  }

  #allDone(): Promise<unknown> {
    return Promise.all([...this.#running].map((entry) => entry.done));
  }

  async #within(limitMs: number, work: Promise<unknown>): Promise<void> {
    const over = new AbortController();
    await Promise.race([work, pause(this.#options.time, limitMs, over.signal)]);
    over.abort();
  }

  async #run(plan: Plan<Context>, job: Job, entry: RunEntry): Promise<FinishedRun> {
    const { log } = this.#options;
    const runLog = log.with({
      run_id: job.runId,
      ...(job.trace === undefined ? {} : { trace_id: job.trace.traceId }),
    });
    runLog.info('run started', { trigger: entry.trigger });
    const finished = await this.#finish(executeRun(plan, job.inputText, this.#hooks(job, runLog)));
    entry.finished = shortened(finished);
    this.#running.delete(entry);
    const { success, durationMs, error, nodes } = finished;
    const duration_ms = Math.round(durationMs * 10) / 10;
    const at = new Date(entry.startedAt).toISOString();
    const last = { run_id: job.runId, at, trigger: entry.trigger, ok: success, duration_ms };
    this.#statistics.record(error === undefined ? last : { ...last, error: error.message }, nodes);
    if (success) runLog.info('run succeeded', { trigger: entry.trigger, duration_ms });
    else runLog.error('run failed', { trigger: entry.trigger, duration_ms, node: error?.node, error: error?.message });
    return finished;
  }

  async #finish(running: Promise<RunOutcome>): Promise<FinishedRun> {
    const { redactor, time } = this.#options;
    const redact = { text: (text: string) => redactor.text(text), json: (text: string) => redactor.json(text) };
    try {
      return finishedRun(await running, time.now(), redact);
    } catch (thrown) {
      // A fault of the engine itself must still end the run: somebody waits, and the slot is counted.
      const error = { node: null, message: `the engine failed: ${failureOf(thrown).message}` };
      const outcome = { success: false, outputs: new Map(), nodes: [], durationMs: 0, error };
      return finishedRun(outcome, time.now(), redact);
    }
  }

  #hooks(job: Job, runLog: Logger): RunHooks<Context> {
    const context = contextFactory(this.#options, job);
    return {
      time: this.#options.time,
      shutdown: this.#shutdown.signal,
      context: (node, attempt, signal) => context(node, attempt, signal, nodeScope.getStore()?.log ?? runLog),
      within: (node, attempt, action) => {
        const log = limitedLog(runLog.with({ node, attempt }), maxLinesPerAttempt);
        return nodeScope.run({ node, runId: job.runId, log }, action);
      },
      abandoned: (settled) => {
        this.#abandoned.add(settled);
        void settled.then(() => this.#abandoned.delete(settled));
      },
      retrying: (node, attempt, message, delayMs) =>
        runLog.warn('node failed and is tried again', { node, attempt, error: message, delay_ms: delayMs }),
    };
  }
}
