import type { JsonValue } from '../model/json.ts';
import { didYouMean } from '../model/similar.ts';
import { modulePathFault } from './files.ts';
import { findCycle } from './graph.ts';
import type { Reader } from './reader.ts';
import { durationOf, identifierRule, isIdentifier } from './rules.ts';
import type { Edge, WorkflowNode } from './workflow.ts';
import { childPath, shorten } from './yaml-source.ts';

/** Most nodes of one workflow. */
const maxNodes = 200;
const maxEdges = 1000;
/** Longest timeout, in milliseconds: 24 hours. */
export const maxTimeoutMs = 86_400_000;
/** Most tries after the first. */
export const maxRetries = 20;

/** `nodes`: at least one, each with the path of its module. */
export function parseNodes(reader: Reader, value: JsonValue | undefined): Record<string, WorkflowNode> {
  const nodes: Record<string, WorkflowNode> = {};
  const section = reader.mapping(value, 'nodes');
  if (!section) return nodes;
  const names = Object.keys(section);
  if (names.length === 0 || names.length > maxNodes) {
    reader.fault('nodes', 'has a wrong number of nodes', { found: names.length, allowed: `1 to ${maxNodes}` });
  }
  for (const name of names.slice(0, maxNodes)) {
    const path = childPath('nodes', name);
    if (!isIdentifier(name)) {
      reader.fault(path, 'is no name for a node', { found: shorten(name), allowed: identifierRule, part: 'key' });
      continue;
    }
    const fields = reader.fields(section[name], path, ['path', 'description', 'timeout', 'retries']);
    if (!fields) continue;
    const modulePath = reader.text(fields.path, `${path}.path`, {
      max: 200,
      allowed: 'the path of the module, e.g. nodes/fetch.ts',
    });
    if (modulePath !== undefined) {
      const fault = modulePathFault(modulePath);
      if (fault) reader.fault(`${path}.path`, fault.message, { found: shorten(modulePath), allowed: fault.allowed });
    }
    const description =
      fields.description === undefined
        ? undefined
        : reader.text(fields.description, `${path}.description`, { max: 1000, prose: true });
    const timeoutMs = durationOf(reader, fields.timeout, `${path}.timeout`, { minMs: 1, maxMs: maxTimeoutMs });
    const retries =
      fields.retries === undefined
        ? undefined
        : reader.integer(fields.retries, `${path}.retries`, { min: 0, max: maxRetries });
    nodes[name] = {
      path: modulePath ?? '',
      ...(description === undefined ? {} : { description }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(retries === undefined ? {} : { retries }),
    };
  }
  return nodes;
}

/** `edges`: between nodes that exist, no node into itself, no edge twice, no cycle. */
export function parseEdges(
  reader: Reader,
  value: JsonValue | undefined,
  nodes: Readonly<Record<string, WorkflowNode>>,
): Edge[] {
  const edges: Edge[] = [];
  const seen = new Set<string>();
  const names = Object.keys(nodes);
  const nodeAt = (found: JsonValue | undefined, path: string): string | undefined => {
    const name = reader.text(found, path, { max: 63, allowed: 'the name of a node' });
    if (name === undefined || names.includes(name)) return name;
    const hint = reader.full ? undefined : didYouMean(name, names);
    reader.fault(path, 'is no node of this workflow', {
      found: name,
      allowed: shorten(names.join(', '), 300),
      ...(hint ? { hint } : {}),
    });
    return undefined;
  };
  for (const [index, item] of reader.list(value, 'edges', { max: maxEdges }).entries()) {
    const path = childPath('edges', index);
    const fields = reader.fields(item, path, ['from', 'to']);
    if (!fields) continue;
    const from = nodeAt(fields.from, `${path}.from`);
    const to = nodeAt(fields.to, `${path}.to`);
    if (from === undefined || to === undefined) continue;
    if (from === to) {
      reader.fault(path, 'leads from a node into itself', {
        found: `${from} -> ${to}`,
        allowed: 'two different nodes',
      });
      continue;
    }
    if (seen.has(`${from} ${to}`)) {
      reader.fault(path, 'is the same edge again', { found: `${from} -> ${to}`, allowed: 'each edge once' });
      continue;
    }
    seen.add(`${from} ${to}`);
    edges.push({ from, to });
  }
  const cycle = findCycle({ nodes, edges });
  if (cycle)
    reader.fault('edges', 'form a cycle', {
      found: cycle.join(' -> '),
      allowed: 'a graph without cycles',
      hint: 'remove one of these edges',
    });
  return edges;
}
