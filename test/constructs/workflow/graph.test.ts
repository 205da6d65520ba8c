import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { downstreamOf, findCycle, rootsOf, sinksOf, stagesOf, upstreamOf } from '../../../constructs/workflow/graph.ts';

const diamond = {
  nodes: { start: {}, left: {}, right: {}, end: {}, alone: {} },
  edges: [
    { from: 'start', to: 'right' },
    { from: 'start', to: 'left' },
    { from: 'left', to: 'end' },
    { from: 'right', to: 'end' },
  ],
};

describe('the graph of a workflow', () => {
  it('runs in stages, the nodes of one in the order of declaration', () => {
    expect(stagesOf(diamond)).toEqual([['start', 'alone'], ['left', 'right'], ['end']]);
  });

  it('knows its roots, sinks and neighbours', () => {
    expect(rootsOf(diamond)).toEqual(['start', 'alone']);
    expect(sinksOf(diamond)).toEqual(['end', 'alone']);
    expect(upstreamOf(diamond, 'end')).toEqual(['left', 'right']);
    expect(downstreamOf(diamond, 'start')).toEqual(['right', 'left']);
  });

  it('prints a cycle as the way round, from the node that was declared first', () => {
    const nodes = { x: {}, a: {}, b: {}, c: {}, behind: {} };
    const edges = [
      { from: 'x', to: 'b' },
      { from: 'b', to: 'c' },
      { from: 'c', to: 'a' },
      { from: 'a', to: 'b' },
      { from: 'c', to: 'behind' },
    ];
    expect(findCycle({ nodes, edges })).toEqual(['a', 'b', 'c', 'a']);
    expect(stagesOf({ nodes, edges })).toEqual([['x']]);
    expect(findCycle(diamond)).toBeUndefined();
  });

  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const graphs = fc
    .uniqueArray(fc.record({ from: fc.constantFrom(...names), to: fc.constantFrom(...names) }), {
      selector: ({ from, to }) => `${from}${to}`,
      maxLength: 12,
    })
    .map((edges) => ({
      nodes: Object.fromEntries(names.map((name) => [name, {}])),
      edges: edges.filter(({ from, to }) => from !== to),
    }));

  it('has all nodes in stages, each edge leading to a later one, or a cycle whose every step is an edge', () => {
    fc.assert(
      fc.property(graphs, (graph) => {
        const stages = stagesOf(graph);
        const cycle = findCycle(graph);
        const staged = stages.flat();
        expect(new Set(staged).size).toBe(staged.length);
        if (cycle === undefined) {
          expect(staged.toSorted()).toEqual(names);
          const stageOf = (name: string): number => stages.findIndex((stage) => stage.includes(name));
          for (const { from, to } of graph.edges) expect(stageOf(from)).toBeLessThan(stageOf(to));
          return;
        }
        expect(staged.length).toBeLessThan(names.length);
        expect(cycle.length).toBeGreaterThan(2);
        expect(cycle.at(0)).toBe(cycle.at(-1));
        for (const [index, from] of cycle.slice(0, -1).entries())
          expect(graph.edges).toContainEqual({ from, to: cycle[index + 1] });
      }),
      { numRuns: 500 },
    );
  });
});
