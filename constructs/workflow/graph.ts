import type { Edge } from './workflow.ts';

/** The part of a workflow that is its graph. */
export interface Graph {
  readonly nodes: Readonly<Record<string, unknown>>;
  readonly edges: readonly Edge[];
}

/** Names of the nodes that have an edge into `node`, in the order of the edges. */
export function upstreamOf(graph: Graph, node: string): string[] {
  return graph.edges.filter((edge) => edge.to === node).map((edge) => edge.from);
}

/** Names of the nodes that `node` has an edge into, in the order of the edges. */
export function downstreamOf(graph: Graph, node: string): string[] {
  return graph.edges.filter((edge) => edge.from === node).map((edge) => edge.to);
}

/** Nodes without an edge into them: they get the input of the run. In the order of declaration. */
export function rootsOf(graph: Graph): string[] {
  const targets = new Set(graph.edges.map((edge) => edge.to));
  return Object.keys(graph.nodes).filter((name) => !targets.has(name));
}

/** Nodes without an edge out of them: their results are the outputs of the run. In the order of declaration. */
export function sinksOf(graph: Graph): string[] {
  const origins = new Set(graph.edges.map((edge) => edge.from));
  return Object.keys(graph.nodes).filter((name) => !origins.has(name));
}

/**
 * Kahn's algorithm: stages that run one after the other, the nodes of one stage side by side, each in the order
 * of declaration. Nodes on or behind a cycle are in no stage; `findCycle` names it.
 */
export function stagesOf(graph: Graph): string[][] {
  const waitingFor = new Map<string, number>(Object.keys(graph.nodes).map((name) => [name, 0]));
  const next = new Map<string, string[]>();
  for (const { from, to } of graph.edges) {
    waitingFor.set(to, (waitingFor.get(to) ?? 0) + 1);
    next.set(from, [...(next.get(from) ?? []), to]);
  }
  const order = new Map(Object.keys(graph.nodes).map((name, index) => [name, index]));
  const stages: string[][] = [];
  let stage = Object.keys(graph.nodes).filter((name) => waitingFor.get(name) === 0);
  while (stage.length > 0) {
    stages.push(stage);
    const following: string[] = [];
    for (const name of stage) {
      for (const to of next.get(name) ?? []) {
        const left = (waitingFor.get(to) ?? 0) - 1;
        waitingFor.set(to, left);
        if (left === 0) following.push(to);
      }
    }
    stage = following.sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  }
  return stages;
}

/** One cycle as the way round, its first node again at the end (`a`, `b`, `a`); undefined if there is none. */
export function findCycle(graph: Graph): string[] | undefined {
  const staged = new Set(stagesOf(graph).flat());
  const left = Object.keys(graph.nodes).filter((name) => !staged.has(name));
  const first = left[0];
  if (first === undefined) return undefined;
  // Every node that is left has a predecessor that is left: walking backwards must come round.
  const seen = new Map<string, number>();
  const walk: string[] = [];
  let at = first;
  while (!seen.has(at)) {
    seen.set(at, walk.length);
    walk.push(at);
    const here = at;
    at = graph.edges.find((edge) => edge.to === here && !staged.has(edge.from))?.from ?? here;
  }
  const cycle = walk.slice(seen.get(at)).reverse();
  // Begin at the node that was declared first, so that the same cycle always prints the same.
  const start = Math.min(...cycle.map((name) => left.indexOf(name)));
  const turn = cycle.indexOf(left[start] ?? '');
  const turned = [...cycle.slice(turn), ...cycle.slice(0, turn)];
  return [...turned, turned[0] ?? ''];
}
