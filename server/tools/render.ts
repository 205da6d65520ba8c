import { stringify } from 'yaml';
import { invalidInput } from '../../constructs/model/errors.ts';
import { describeObject } from '../../constructs/model/manifest.ts';
import { wfRender } from '../api/apply.ts';
import type { ToolDependencies } from './dependencies.ts';
import { textPage } from './page.ts';
import { renderGiven, sourceKind } from './source.ts';
import type { Tool } from './tool.ts';
import { warningRows } from './warnings.ts';

export function renderTool({ rendererOptions }: ToolDependencies): Tool<'wf_render'> {
  return {
    name: 'wf_render',
    title: 'Render a tentacle',
    description: [
      'Validates a source and shows the manifests that wf_apply would apply, as YAML. Touches no cluster and changes nothing.',
      'Use it to check a workflow while you write it, and to see what a contract opens in the network. To compare with what runs use wf_diff.',
      'A long rendering comes in pages: send next_cursor as cursor with the same source.',
    ].join('\n'),
    ...wfRender,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission }) {
      admission.general('wf_render');
      if (sourceKind('wf_render', input) !== 'given') {
        throw invalidInput('Input of wf_render', [{ path: 'workflow', message: 'is required' }]);
      }
      const rendered = renderGiven(input, rendererOptions);
      const all = rendered.manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join('---\n');
      const { text, ...cursor } = textPage(all, input.cursor);
      return {
        name: rendered.name,
        enclave: rendered.enclave,
        version: rendered.version,
        spec_hash: rendered.specHash,
        source_hash: rendered.sourceHash,
        secret_services: [...rendered.secretServices],
        objects: rendered.manifests.map(describeObject),
        yaml: text,
        warnings: warningRows(rendered.warnings),
        ...cursor,
      };
    },
  };
}
