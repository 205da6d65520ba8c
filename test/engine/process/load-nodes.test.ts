import { expect, it } from 'vitest';
import { loadDeadlineMs, loadNodes } from '../../../engine/process/load-nodes.ts';
import { ManualTime } from '../support/manual-time.ts';
import { workflowOf } from '../support/workflows.ts';

const workflow = workflowOf({ nodes: { a: {}, b: {}, c: {}, d: {} } });

it('every module that does not load is named, with the reason', async () => {
  const time = new ManualTime();
  const modules: Record<string, () => Promise<object>> = {
    'nodes/a.ts': async () => ({ default: () => 1 }),
    'nodes/b.ts': async () => ({ default: { run: () => 1 } }),
    'nodes/c.ts': async () => ({ run: () => 1 }),
    'nodes/d.ts': () => Promise.reject(new SyntaxError('Unexpected token')),
  };
  const loading = loadNodes(workflow, (path) => modules[path]?.() ?? Promise.reject(new Error('none')), time);
  await expect(loading).rejects.toThrow(
    'workflow sketch has 3 faults:\n' +
      '- nodes.b.path: has a default export of type object; found "nodes/b.ts"; allowed: a module with: ' +
      'export default async function (ctx, input) { ... }\n' +
      '- nodes.c.path: has no default export; found "nodes/c.ts"; allowed: a module with: ' +
      'export default async function (ctx, input) { ... }\n' +
      '- nodes.d.path: does not load: SyntaxError: Unexpected token; found "nodes/d.ts"',
  );
  expect(time.pending).toBe(0);
});

it('a top-level await that never ends is given up', async () => {
  const time = new ManualTime();
  const loading = loadNodes(workflow, () => new Promise(() => undefined), time);
  const failed = expect(loading).rejects.toThrow('nodes.a.path: does not load: still loading after 60 s');
  await time.advance(loadDeadlineMs);
  await failed;
});
