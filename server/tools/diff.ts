import type { JsonValue } from '../../constructs/model/json.ts';
import { wfDiff } from '../api/apply.ts';
import type { ToolOutput } from '../api/tools.ts';
import type { DiffResult, DriftResult, FieldConflict, ObjectDiff } from '../cluster/index.ts';
import { comparison } from './apply-request.ts';
import type { ToolDependencies } from './dependencies.ts';
import { diffEntries } from './diff-entries.ts';
import { asOutOfGit } from './manifests.ts';
import { isOwnedThroughGit } from './ownership.ts';
import { rowsWithin } from './page.ts';
import { renderGiven, sourceKind } from './source.ts';
import type { Tool } from './tool.ts';
import { cleanJson, cleanText, textLimits } from './untrusted.ts';
import { warningRows } from './warnings.ts';

type Output = ToolOutput<'wf_diff'>;

/** Conflicts told in one reply, and the characters that they may take. */
const maxConflicts = 30;
const conflictsBudget = 8000;
/** Longest value of a field shown, in characters of its JSON. */
const maxShown = 1000;

export function diffTool(deps: ToolDependencies): Tool<'wf_diff'> {
  return {
    name: 'wf_diff',
    title: 'Compare with what runs',
    description: [
      'Shows, object by object, what wf_apply would create, update or prune, as unified diffs of live against desired. Changes nothing.',
      'Use it before each wf_apply on a tentacle that exists, and hand its plan to wf_apply: then exactly this is applied, or nothing.',
      'With only enclave and name it shows drift: what somebody changed by hand since the last apply.',
      'Secret values are masked; only same or changed is told.',
    ].join('\n'),
    ...wfDiff,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run(input, context) {
      const { admission } = context;
      if (sourceKind('wf_diff', input) === 'stored') {
        const name = input.name ?? '';
        await admission.tentacle('wf_diff', input.enclave, name);
        const drift = await deps.cluster.drift({ enclave: input.enclave, name, call: context.kube });
        return { ...place(input.enclave, name), compared: 'stored', ...driftOutput(drift) };
      }
      const given = renderGiven(input, deps.rendererOptions);
      const { enclave, tentacle: live } = await admission.preview(given.enclave, given.name);
      // That a credential is the same as the stored one is told only to who could replace it: others could guess.
      if (live && input.secrets) admission.still('wf_diff_secrets', enclave, live);
      const rendered = isOwnedThroughGit(live) ? asOutOfGit(given, deps.rendererOptions) : given;
      const diff = await deps.cluster.diff(comparison(deps, context, { rendered, secrets: input.secrets }));
      return {
        ...place(rendered.enclave, rendered.name),
        compared: 'source',
        ...diffOutput(diff),
        plan: diff.plan,
        warnings: warningRows(rendered.warnings),
      };
    },
  };
}

function place(enclave: string, name: string) {
  return { enclave, name };
}

function diffOutput({ changed, objects, conflicts }: DiffResult) {
  const secrets = secretsIn(objects);
  return {
    changed,
    objects: diffEntries(objects),
    conflicts: conflictRows(conflicts),
    ...(secrets ? { secrets } : {}),
  };
}

function driftOutput({ drifted, objects, fields, added }: DriftResult) {
  const left = `${added} of these fields ${added === 1 ? 'was' : 'were'} added beside what is rendered: wf_apply sets the others again and leaves these, so they have to be taken out where they were put in`;
  const warnings = added > 0 ? warningRows([left]) : [];
  return { changed: drifted, objects: diffEntries(objects), conflicts: conflictRows(fields), warnings };
}

function secretsIn(objects: readonly ObjectDiff[]): Output['secrets'] {
  const all = objects.flatMap(({ secret }) => (secret ? Object.entries(secret) : []));
  return all.length === 0 ? undefined : Object.fromEntries(all);
}

function conflictRows(conflicts: readonly FieldConflict[]): Output['conflicts'] {
  const rows = conflicts.slice(0, maxConflicts).map(({ object, field, owner, ours, theirs }) => ({
    object,
    field: cleanText(field, textLimits.message),
    owner: cleanText(owner, textLimits.field),
    ...(ours === undefined ? {} : { ours: shown(ours) }),
    ...(theirs === undefined ? {} : { theirs: shown(theirs) }),
  }));
  return rowsWithin(rows, conflictsBudget);
}

/** A field's value, or the beginning of its JSON where it is large. */
function shown(value: JsonValue): JsonValue {
  const clean = cleanJson(value, 200);
  const text = JSON.stringify(clean);
  return text.length <= maxShown ? clean : cleanText(text, maxShown);
}
