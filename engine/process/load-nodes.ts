import { type Fault, invalidInput } from '../../constructs/model/errors.ts';
import type { Workflow } from '../../constructs/workflow/workflow.ts';
import type { Context } from '../api.ts';
import { failureOf } from '../run/failure.ts';
import type { NodeCallable } from '../run/plan.ts';
import type { Time } from '../run/time.ts';

/** The modules of a workflow must have loaded within this: a top-level await could wait for ever. */
export const loadDeadlineMs = 60_000;

/**
 * The default export of each node's module. Nodes that share a module share its state.
 * @param importModule imports a module by its path relative to the workflow's folder
 * @throws TentacularError invalid_input that names every module that does not load or exports no function
 */
export async function loadNodes(
  workflow: Workflow,
  importModule: (path: string) => Promise<object>,
  time: Time,
): Promise<Map<string, NodeCallable<Context>>> {
  const faults: Fault[] = [];
  const callables = new Map<string, NodeCallable<Context>>();
  const load = async ([name, { path }]: [string, { readonly path: string }]) => {
    try {
      const exported: unknown = Reflect.get(await withDeadline(importModule(path), time), 'default');
      if (isCallable(exported)) callables.set(name, exported);
      else faults.push(noFunction(name, path, exported));
    } catch (thrown) {
      const message = `does not load: ${failureOf(thrown).message}`;
      faults.push({ path: `nodes.${name}.path`, message, found: path, hint: 'run it locally with: deno check' });
    }
  };
  await Promise.all(Object.entries(workflow.nodes).map(load));
  if (faults.length > 0) throw invalidInput(`workflow ${workflow.name}`, faults);
  return callables;
}

function isCallable(value: unknown): value is NodeCallable<Context> {
  return typeof value === 'function';
}

function noFunction(name: string, path: string, exported: unknown): Fault {
  return {
    path: `nodes.${name}.path`,
    message: `has ${exported === undefined ? 'no default export' : `a default export of type ${typeof exported}`}`,
    found: path,
    allowed: 'a module with: export default async function (ctx, input) { ... }',
  };
}

async function withDeadline<T>(loading: Promise<T>, time: Time): Promise<T> {
  let cancel = () => {};
  const deadline = new Promise<never>((_, reject) => {
    cancel = time.after(loadDeadlineMs, () => reject(new Error(`still loading after ${loadDeadlineMs / 1000} s`)));
  });
  try {
    return await Promise.race([loading, deadline]);
  } finally {
    cancel();
  }
}
