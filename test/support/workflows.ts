import type { JsonObject } from '../../constructs/model/json.ts';

/** A workflow as `wf_apply` takes it. */
export interface WorkflowInput extends JsonObject {
  workflow: JsonObject;
  files: Record<string, string>;
}

/** Two nodes: `greet` takes {name}, `shout` makes it loud. Output {text}. */
export function helloWorkflow(name: string, overrides: JsonObject = {}): WorkflowInput {
  return {
    workflow: {
      name,
      version: '1.0.0',
      triggers: [{ type: 'manual' }],
      nodes: { greet: { path: 'nodes/greet.ts' }, shout: { path: 'nodes/shout.ts' } },
      edges: [{ from: 'greet', to: 'shout' }],
      contract: { version: '1', dependencies: {} },
      ...overrides,
    },
    files: {
      'nodes/greet.ts': node("return { text: 'hello ' + (input?.name ?? 'world') };"),
      'nodes/shout.ts': node('return { text: input.text.toUpperCase() };'),
    },
  };
}

/** One node whose body is given: `(ctx, input) => …`. */
export function oneNodeWorkflow(name: string, body: string, overrides: JsonObject = {}): WorkflowInput {
  return {
    workflow: {
      name,
      version: '1.0.0',
      triggers: [{ type: 'manual' }],
      nodes: { probe: { path: 'nodes/probe.ts' } },
      edges: [],
      contract: { version: '1', dependencies: {} },
      ...overrides,
    },
    files: { 'nodes/probe.ts': node(body) },
  };
}

/** Source of a node with that body, in which `ctx` and `input` are at hand. */
function node(body: string): string {
  return `export default async function (ctx: any, input: any) {\n${body}\n}\n`;
}
