/**
 * What a node sees: `import type { Context } from 'tentacular'`. Types only, nothing here exists at run time.
 *
 * A node is a module whose default export is a function:
 *
 *     import type { Context } from 'tentacular';
 *
 *     export default async function (ctx: Context, input: { city?: string }) {
 *       const weather = ctx.dependency('weather');
 *       const answer = await weather.fetch?.(`/v1/now?city=${input.city ?? 'Wien'}`);
 *       return { temperature: (await answer?.json()).celsius };
 *     }
 *
 * Input and output are JSON. A root node gets the input of the run (`{}` where the caller sent none); a node with one
 * upstream gets its output as it is; a node with several gets an object keyed by their names. What a node returns is
 * copied for each reader, so nobody sees a neighbour's changes; `undefined` becomes `null`; what JSON cannot say
 * (functions, bigint, NaN, Map, cycles, more than 2 MiB) fails the node with the path of the offending value.
 */

/** A JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json | undefined };

/** A node: the default export of its module. */
export type NodeFunction<Input = never, Output = unknown> = (ctx: Context, input: Input) => Output | Promise<Output>;

/** What started the run. */
export interface TriggerInfo {
  readonly type: 'manual' | 'cron' | 'queue';
  /** Name of the cron trigger, where it has one. */
  readonly name?: string;
  /** Subject of the queue trigger. */
  readonly subject?: string;
}

/** Handed to a node at each attempt. */
export interface Context {
  /** Name of this node. */
  readonly node: string;
  /** Id of the run, the same for all of its nodes and attempts. */
  readonly runId: string;
  /** 1 for the first try, 2 for the first retry. */
  readonly attempt: number;
  readonly trigger: TriggerInfo;
  readonly enclave: string;
  readonly tentacle: string;
  /** Version of the workflow. */
  readonly version: string;
  /** The input of the run, whichever node this is; a copy of its own. */
  readonly input: Json;
  /** The `config` section of workflow.yaml as written; frozen. */
  readonly config: { readonly [key: string]: Json | undefined };
  /**
   * Aborted when this attempt times out, another node of the run fails, or the pod goes away. Pass it to whatever
   * waits; a node that ignores it is abandoned: its result no longer counts.
   */
  readonly signal: AbortSignal;
  /** W3C trace context of the caller, where it sent one; `dependency().fetch` passes it on. */
  readonly traceparent?: string;
  readonly log: NodeLog;
  /**
   * A dependency of the contract, or a sidecar, by its name. Its secret is read afresh at each call, so a rotation
   * needs no restart.
   * @throws Error where the contract has no such name, or its secret is not there.
   */
  dependency(name: string): DependencyHandle;
}

/** Structured log lines with node and run id; values of secrets are replaced by `[redacted]`. `console` ends here too. */
export interface NodeLog {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Where a dependency is and how to authenticate to it. */
export interface DependencyHandle {
  readonly name: string;
  /** As in the contract: `https`, `postgresql`, ... `tcp` or `udp` for a dynamic target. */
  readonly protocol: string;
  /** Empty for a dynamic target: any address of `cidr`. */
  readonly host: string;
  /** The first of `ports` for a dynamic target. */
  readonly port: number;
  /** `auth.type` of the contract; `none` where it has no auth. */
  readonly authType: string;
  /** The value at `auth.secret`; for an exoskeleton service everything that its registrar issued. */
  readonly secret?: Json;
  /** Of a dynamic target. */
  readonly cidr?: string;
  /** Of a dynamic target. */
  readonly ports?: readonly number[];
  /**
   * For http and https: `fetch` bound to this host. Takes a path (or a URL of the same origin), adds the credentials
   * (`bearer`, `basic`, `api-key` as `x-api-key`, `header-<name>`), `ctx.signal` and the trace context, and refuses
   * redirects to any other origin.
   */
  readonly fetch?: (path: string | URL, init?: RequestInit) => Promise<Response>;
}

/** Throw an error with `retryable: false` where trying again cannot help: the node fails without further attempts. */
export interface NodeError extends Error {
  retryable?: boolean;
}
