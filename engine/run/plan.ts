import { sinksOf, stagesOf, upstreamOf } from '../../constructs/workflow/graph.ts';
import type { Workflow } from '../../constructs/workflow/workflow.ts';

/** The function of a node as the engine calls it: nothing is known of input and output but that they are values. */
export type NodeCallable<Context> = (context: Context, input: unknown) => unknown;

export interface PlannedNode<Context> {
  readonly name: string;
  readonly call: NodeCallable<Context>;
  /** Names of the nodes whose output it reads, in the order of the edges. */
  readonly upstream: readonly string[];
  /** Milliseconds of one attempt; absent: only the run's timeout counts. */
  readonly timeoutMs?: number;
  /** Tries after the first. */
  readonly retries: number;
}

/** A workflow that is ready to run: modules loaded, order decided. */
export interface Plan<Context> {
  /** One after the other; the nodes within one in parallel. */
  readonly stages: readonly (readonly PlannedNode<Context>[])[];
  /** Nodes that nobody reads: their outputs are the run's. */
  readonly sinks: readonly string[];
  /** Of the whole run, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * @param callables the default export of each node's module, by node
 */
export function planOf<Context>(
  workflow: Workflow,
  callables: ReadonlyMap<string, NodeCallable<Context>>,
): Plan<Context> {
  return {
    stages: stagesOf(workflow).map((names) => names.map((name) => plannedNode(workflow, name, callables))),
    sinks: sinksOf(workflow),
    timeoutMs: workflow.config.timeoutMs,
  };
}

function plannedNode<Context>(
  workflow: Workflow,
  name: string,
  callables: ReadonlyMap<string, NodeCallable<Context>>,
): PlannedNode<Context> {
  const node = workflow.nodes[name];
  const call = callables.get(name);
  if (node === undefined || call === undefined) throw new Error(`node ${name} is planned but was not loaded`);
  return {
    name,
    call,
    upstream: upstreamOf(workflow, name),
    ...(node.timeoutMs === undefined ? {} : { timeoutMs: node.timeoutMs }),
    retries: node.retries ?? workflow.config.retries,
  };
}
