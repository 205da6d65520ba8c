import { isJsonObject, type JsonObject } from '../../../constructs/model/json.ts';
import { parseWorkflow } from '../../../constructs/workflow/parse.ts';
import type { Workflow } from '../../../constructs/workflow/workflow.ts';

export interface Sketch {
  /** Fields of each node besides its path. */
  readonly nodes: Readonly<Record<string, JsonObject>>;
  /** `a -> b` */
  readonly edges?: readonly string[];
  readonly config?: JsonObject;
  readonly contract?: JsonObject;
  readonly sidecars?: readonly JsonObject[];
}

/** The workflow.yaml (as an object) of a sketch: each node in `nodes/<name>.ts` unless it says otherwise. */
export function workflowSource(sketch: Sketch): JsonObject {
  const nodes = Object.fromEntries(
    Object.entries(sketch.nodes).map(([name, node]) => [name, { path: `nodes/${name}.ts`, ...node }]),
  );
  const edges = (sketch.edges ?? []).map((edge) => {
    const [from = '', to = ''] = edge.split(' -> ');
    return { from, to };
  });
  return {
    name: 'sketch',
    version: '1.0.0',
    nodes,
    edges,
    ...(sketch.config === undefined ? {} : { config: sketch.config }),
    ...(sketch.contract === undefined ? {} : { contract: { version: '1', dependencies: sketch.contract } }),
    ...(sketch.sidecars === undefined ? {} : { sidecars: [...sketch.sidecars] }),
  };
}

/** The same, validated by the real parser. */
export function workflowOf(sketch: Sketch): Workflow {
  const source = workflowSource(sketch);
  if (!isJsonObject(source)) throw new Error('a workflow is an object');
  return parseWorkflow(source);
}
