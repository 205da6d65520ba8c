import { describe, expect, it } from 'vitest';
import { manifestsToYaml } from '../../constructs/k8s/yaml.ts';
import { renderEnclave, renderTentacle } from '../../constructs/render.ts';
import type { GoldenCase } from './cases/case.ts';
import { goldenCases } from './cases/index.ts';
import { expectGolden, expectNoStaleGoldens } from './golden.ts';

function render(golden: GoldenCase): string {
  const { manifests } = golden.tentacle
    ? renderTentacle(golden.tentacle, golden.options)
    : renderEnclave(golden.enclave, golden.options);
  return `# ${golden.shows}\n${manifestsToYaml(manifests)}`;
}

describe('goldens of rendering', () => {
  it.each(goldenCases.map((golden) => [golden.name, golden] as const))('%s', (name, golden) => {
    expectGolden(`render/${name}.yaml`, render(golden));
  });

  it('each case has a name of its own', () => {
    const names = goldenCases.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  it('no golden is left without a case', () => {
    expectNoStaleGoldens(
      'render',
      goldenCases.map(({ name }) => `${name}.yaml`),
    );
  });
});
