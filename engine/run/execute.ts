import { type AttemptResult, attempt } from './attempt.ts';
import { backoffMs } from './backoff.ts';
import { failureOf } from './failure.ts';
import { jsonTextOf } from './json-value.ts';
import type { Plan, PlannedNode } from './plan.ts';
import { describeDuration, pause, type Time } from './time.ts';

/** Largest output of one node, in bytes of JSON. */
export const maxOutputBytes = 2 * 1024 * 1024;
/** Largest sum of the outputs of one run, in bytes of JSON: with all the rest the answer stays below the 8 MiB that callers read. */
const maxRunOutputBytes = 6 * 1024 * 1024;

/** `cancelled`: was running when another node failed or the pod went away. `skipped`: never started. */
type NodeStatus = 'ok' | 'failed' | 'timeout' | 'cancelled' | 'skipped';

export interface NodeReport {
  readonly name: string;
  readonly status: NodeStatus;
  /** How often it was called; 0 if skipped. */
  readonly attempts: number;
  /** From the first call to the end of the last, waits between attempts included. */
  readonly durationMs: number;
  readonly error?: string;
}

export interface RunError {
  /** The node that failed, or the first that was still running; null where none is to blame. */
  readonly node: string | null;
  readonly message: string;
}

export interface RunOutcome {
  readonly success: boolean;
  /** JSON text of the output of each node that nobody reads; of those that finished, where the run failed. */
  readonly outputs: ReadonlyMap<string, string>;
  readonly nodes: readonly NodeReport[];
  readonly durationMs: number;
  readonly error?: RunError;
}

export interface RunHooks<Context> {
  readonly time: Time;
  /** Aborts where the process ends before the run does. */
  readonly shutdown: AbortSignal;
  /** The context of one attempt. */
  context(node: string, attempt: number, signal: AbortSignal): Context;
  /** Calls `action`, so that what it logs and leaves behind can be told to be this node's. */
  within<T>(node: string, attempt: number, action: () => T): T;
  /** Told of each node that had not ended when its attempt did; the promise resolves if it ever does. */
  abandoned(settled: Promise<void>): void;
  retrying(node: string, attempt: number, message: string, delayMs: number): void;
}

type Stop =
  | { readonly kind: 'failed'; readonly error: RunError }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'shutdown' };

/** One run in the making. */
class Execution<Context> {
  readonly #plan: Plan<Context>;
  readonly #inputText: string;
  readonly #hooks: RunHooks<Context>;
  readonly #controller = new AbortController();
  readonly #texts = new Map<string, string>();
  readonly #reports = new Map<string, NodeReport>();
  readonly #startedAt: number;
  #bytes = 0;
  /** Why the run ends early; the first reason stands. */
  #stop: Stop | undefined;

  constructor(plan: Plan<Context>, inputText: string, hooks: RunHooks<Context>) {
    this.#plan = plan;
    this.#inputText = inputText;
    this.#hooks = hooks;
    this.#startedAt = hooks.time.elapsed();
  }

  async run(): Promise<RunOutcome> {
    const onShutdown = () => this.#halt({ kind: 'shutdown' });
    this.#hooks.shutdown.addEventListener('abort', onShutdown);
    if (this.#hooks.shutdown.aborted) onShutdown();
    const cancelTimeout = this.#hooks.time.after(this.#plan.timeoutMs, () => this.#halt({ kind: 'timeout' }));
    for (const stage of this.#plan.stages) {
      if (this.#stop !== undefined) break;
      await Promise.all(stage.map((node) => this.#runNode(node)));
    }
    cancelTimeout();
    this.#hooks.shutdown.removeEventListener('abort', onShutdown);
    return this.#outcome();
  }

  #halt(stop: Stop): void {
    if (this.#stop !== undefined) return;
    this.#stop = stop;
    this.#controller.abort();
  }

  async #runNode(node: PlannedNode<Context>): Promise<void> {
    const { time } = this.#hooks;
    const began = time.elapsed();
    const end = (status: NodeStatus, attempts: number, error?: string) => {
      const report = { name: node.name, status, attempts, durationMs: time.elapsed() - began };
      this.#reports.set(node.name, error === undefined ? report : { ...report, error });
      if (error !== undefined) this.#halt({ kind: 'failed', error: { node: node.name, message: error } });
    };
    for (let number = 1; ; number++) {
      const result = await this.#call(node, number);
      if (result.kind === 'stopped') return end(this.#stop?.kind === 'timeout' ? 'timeout' : 'cancelled', number);
      if (result.kind === 'returned') {
        const fault = this.#keep(node.name, result.value);
        // The same output would come again: no retry.
        return fault === undefined ? end('ok', number) : end('failed', number, `its output ${fault}`);
      }
      const timedOut = result.kind === 'timeout';
      const failure = timedOut
        ? { message: `took longer than its timeout of ${describeDuration(node.timeoutMs ?? 0)}`, retryable: true }
        : failureOf(result.thrown);
      const delayMs = backoffMs(number, time.random());
      const leftMs = this.#plan.timeoutMs - (time.elapsed() - this.#startedAt);
      // A retry that could only begin after the run's timeout would replace this error by a less useful one.
      if (number > node.retries || !failure.retryable || delayMs >= leftMs) {
        return end(timedOut ? 'timeout' : 'failed', number, failure.message);
      }
      this.#hooks.retrying(node.name, number, failure.message, delayMs);
      await pause(time, delayMs, this.#controller.signal);
      if (this.#stop !== undefined) return end(this.#stop.kind === 'timeout' ? 'timeout' : 'cancelled', number);
    }
  }

  #call(node: PlannedNode<Context>, number: number): Promise<AttemptResult> {
    return attempt(
      (signal) =>
        this.#hooks.within(node.name, number, () =>
          node.call(this.#hooks.context(node.name, number, signal), this.#inputOf(node)),
        ),
      {
        runSignal: this.#controller.signal,
        ...(node.timeoutMs === undefined ? {} : { timeoutMs: node.timeoutMs }),
        time: this.#hooks.time,
        onAbandoned: this.#hooks.abandoned,
      },
    );
  }

  /** Parsed anew for each reader and each attempt: nobody sees what another did to it. */
  #inputOf(node: PlannedNode<Context>): unknown {
    const [first] = node.upstream;
    if (first === undefined) return JSON.parse(this.#inputText);
    if (node.upstream.length === 1) return JSON.parse(this.#texts.get(first) ?? 'null');
    return Object.fromEntries(node.upstream.map((name) => [name, JSON.parse(this.#texts.get(name) ?? 'null')]));
  }

  #keep(name: string, value: unknown): string | undefined {
    const json = jsonTextOf(value, maxOutputBytes);
    if (!json.ok) return json.reason;
    this.#bytes += json.bytes;
    if (this.#bytes > maxRunOutputBytes) {
      return `brings the outputs of this run to ${this.#bytes} bytes; at most ${maxRunOutputBytes} are allowed`;
    }
    this.#texts.set(name, json.text);
    return undefined;
  }

  #outcome(): RunOutcome {
    const nodes = this.#plan.stages.flat().map(({ name }): NodeReport => {
      return this.#reports.get(name) ?? { name, status: 'skipped', attempts: 0, durationMs: 0 };
    });
    const outputs = new Map<string, string>();
    for (const name of this.#plan.sinks) {
      const text = this.#texts.get(name);
      if (text !== undefined) outputs.set(name, text);
    }
    const result = { outputs, nodes, durationMs: this.#hooks.time.elapsed() - this.#startedAt };
    // Halted in the very moment in which the last node returned: everything is there, the run succeeded.
    if (this.#stop === undefined || nodes.every(({ status }) => status === 'ok')) return { success: true, ...result };
    return { success: false, ...result, error: this.#errorOf(this.#stop, nodes) };
  }

  #errorOf(stop: Stop, nodes: readonly NodeReport[]): RunError {
    if (stop.kind === 'failed') return stop.error;
    const running = nodes
      .filter(({ status }) => status === 'timeout' || status === 'cancelled')
      .map(({ name }) => name);
    const still = running.length === 0 ? '' : `; still running: ${running.join(', ')}`;
    const message =
      stop.kind === 'timeout'
        ? `the run took longer than its timeout of ${describeDuration(this.#plan.timeoutMs)}${still}`
        : `the engine shut down before the run ended${still}`;
    return { node: running[0] ?? null, message };
  }
}

/**
 * Runs a plan once: stages one after the other, the nodes of a stage in parallel, fail fast. Never rejects for
 * anything that a node does.
 * @param inputText the run's input as JSON text
 */
export function executeRun<Context>(
  plan: Plan<Context>,
  inputText: string,
  hooks: RunHooks<Context>,
): Promise<RunOutcome> {
  return new Execution(plan, inputText, hooks).run();
}
