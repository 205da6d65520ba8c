import { describe, expect, it } from 'vitest';
import { bundleProgram } from '../../../local/images/bundle.ts';
import { imageDefinitions } from '../../../local/images/definitions.ts';
import { projectRoot } from '../../support/source-files.ts';

/** What the bundle of an image still imports, by kind: static imports have to be there when it starts. */
async function importsOf(name: 'server' | 'engine') {
  const { program } = imageDefinitions[name];
  if (program.kind !== 'bundle') throw new Error(`${name} is no bundle`);
  const { metafile, text } = await bundleProgram(projectRoot, program.entry, program.runtime);
  const output = Object.values(metafile.outputs)[0];
  const imports = output?.imports ?? [];
  const paths = (kind: string) => [...new Set(imports.filter((item) => item.kind === kind).map((item) => item.path))];
  return {
    static: paths('import-statement'),
    dynamic: paths('dynamic-import'),
    inputs: Object.keys(metafile.inputs),
    text,
  };
}
const builtin = (path: string) => path.startsWith('node:');

describe('the bundle of the server', () => {
  it('needs nothing but Node to start: reading a kubeconfig, and client-node with it, stays outside', async () => {
    const { static: fixed, dynamic, inputs, text } = await importsOf('server');
    expect(fixed.filter((path) => !builtin(path))).toEqual([]);
    expect(dynamic.filter((path) => !builtin(path))).toEqual(['./kubeconfig.ts']);
    expect(inputs.filter((path) => path.includes('@kubernetes/client-node'))).toEqual([]);
    expect(text).not.toContain('@kubernetes/client-node');
  });

  it('renders with the constructs that the checkout has', async () => {
    expect((await importsOf('server')).inputs).toContain('constructs/render.ts');
  });
});

describe('the bundle of the engine', () => {
  it('holds all that it imports, but modules that Deno has itself', async () => {
    const { static: fixed, inputs } = await importsOf('engine');
    expect(fixed.filter((path) => !builtin(path))).toEqual([]);
    expect(inputs).toContain('constructs/workflow/parse.ts');
  });

  it('holds nothing of the renderer or of the server', async () => {
    const { inputs } = await importsOf('engine');
    expect(inputs.filter((path) => /cdk8s|^server\/|^local\//.test(path))).toEqual([]);
  });
});
