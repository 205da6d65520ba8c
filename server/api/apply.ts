import { z } from 'zod';
import {
  cursorField,
  dryRunField,
  enclaveField,
  lineField,
  modeField,
  nameField,
  nextCursorField,
  timeoutField,
  timestamp,
  untrustedText,
} from './fields.ts';

/** A tentacle's source as wf_apply, wf_render and wf_diff take it. */
const sourceShape = {
  enclave: enclaveField,
  name: nameField.optional().describe('Name of the tentacle. Default: the name in the workflow.'),
  workflow: z
    .union([z.string().max(1_000_000), z.record(z.string(), z.unknown())])
    .optional()
    .describe('workflow.yaml: its text (faults then name line and column) or the parsed object.'),
  files: z
    .record(z.string().max(512), z.string())
    .optional()
    .describe(
      'Text of every other file by path relative to workflow.yaml, e.g. {"nodes/fetch.ts": "export default ..."}.',
    ),
  image: lineField
    .optional()
    .describe('Engine image instead of the default; must be on the allow-list of the cluster.'),
  git_sha: z
    .string()
    .regex(/^[0-9a-fA-F]{7,64}$/, 'must be a commit id: 7 to 64 hexadecimal characters')
    .optional()
    .describe('Commit that the source comes from; recorded.'),
};

/** As many as a contract can name. */
const maxServices = 100;

const secretsField = z
  .record(z.string().max(63), z.union([z.record(z.string().max(253), z.unknown()), z.null()]))
  .refine((services) => Object.keys(services).length <= maxServices, `must hold at most ${maxServices} services`)
  .optional()
  .describe(
    'Credentials by service: {"weather": {"api_key": "..."}}. A service given replaces its key, null removes it, one that is absent is untouched. Never shown again.',
  );

export const wfRender = {
  input: z.strictObject({ ...sourceShape, cursor: cursorField.optional() }),
  output: z.strictObject({
    name: z.string(),
    enclave: z.string(),
    version: z.string(),
    spec_hash: z.string().describe('sha256 of the rendered set; the same for the same source and cluster options.'),
    source_hash: z.string(),
    secret_services: z.array(z.string()).describe('Services whose credentials the contract expects in `secrets`.'),
    objects: z.array(z.string()).describe('Kind/namespace/name of each manifest, in the order of applying.'),
    yaml: z.string().describe('The manifests as one YAML stream; this page of it.'),
    warnings: z.array(z.string()),
    next_cursor: nextCursorField.optional(),
  }),
};

const objectOutcome = z.strictObject({
  object: z.string().describe('Kind/namespace/name.'),
  outcome: z.enum(['created', 'configured', 'unchanged', 'deleted', 'skipped']),
});

const diffEntry = z.strictObject({
  object: z.string().describe('Kind/namespace/name.'),
  action: z.enum(['create', 'update', 'prune', 'unchanged']),
  diff: untrustedText('Unified diff from live to desired; Secret values masked.').optional(),
  truncated: z.boolean().optional().describe('true: the diff was too long for one reply and is cut.'),
});

const rolloutShape = z.strictObject({
  state: z.enum(['complete', 'in-progress', 'failed', 'timed-out']),
  message: untrustedText('Why, in the words of the cluster.').optional(),
  ready: z.int(),
  wanted: z.int(),
  pod: z.string().optional().describe('The pod that failed.'),
  container: z.string().optional().describe('Its container that failed.'),
  exit_code: z.int().optional(),
  logs: z.array(untrustedText('One of its last log lines.')).optional(),
  next_step: z.string().optional().describe('What to call next.'),
});

export const wfApply = {
  input: z.strictObject({
    ...sourceShape,
    secrets: secretsField,
    mode: modeField
      .optional()
      .describe('Permissions of a new tentacle. Default: default mode of the enclave, else rwxr-x---.'),
    dry_run: dryRunField,
    wait: z.boolean().default(false).describe('true: wait until the rollout is done or failed, with progress.'),
    timeout_seconds: timeoutField(120, 600),
    expected_revision: z
      .int()
      .min(0)
      .optional()
      .describe('Refuse (conflict) unless the live revision is this one; 0: only if it does not exist yet.'),
    plan: z
      .string()
      .max(200)
      .optional()
      .describe('Token of a wf_diff: refused (stale_plan) if the source or the cluster has changed since.'),
    on_conflict: z
      .enum(['fail', 'take', 'keep'])
      .default('fail')
      .describe('A field that somebody else owns: fail tells all of them, take makes them ours, keep leaves them.'),
    manifests: z
      .array(z.record(z.string(), z.unknown()))
      .max(100)
      .optional()
      .describe('Instead of workflow and files: rendered manifests of one tentacle, as `cdk8s synth` writes them.'),
  }),
  output: z.strictObject({
    status: z.enum(['created', 'updated', 'unchanged']),
    enclave: z.string(),
    name: z.string(),
    dry_run: z.boolean(),
    revision: z.int().describe('Number of the live revision after this call; with dry_run, the one it would be.'),
    spec_hash: z.string(),
    applied: z.array(objectOutcome),
    pruned: z.array(z.string()).describe('Kind/namespace/name of what the new set no longer holds.'),
    diff: z.array(diffEntry).optional().describe('With dry_run: what would change.'),
    secrets: z
      .strictObject({ replaced: z.array(z.string()), removed: z.array(z.string()) })
      .optional()
      .describe('Services whose credentials changed; never values.'),
    warnings: z.array(z.string()),
    rollout: rolloutShape.optional(),
  }),
};

export const wfDiff = {
  input: z.strictObject({
    ...sourceShape,
    secrets: secretsField,
  }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string(),
    compared: z.enum(['source', 'stored']).describe('source: what you sent; stored: the live revision (drift).'),
    changed: z.boolean(),
    objects: z.array(diffEntry),
    conflicts: z
      .array(
        z.strictObject({
          object: z.string(),
          field: z.string(),
          owner: z.string().describe('Field manager that owns it.'),
          ours: z.unknown().optional(),
          theirs: z.unknown().optional(),
        }),
      )
      .describe('Fields that somebody else owns and holds at another value; wf_apply asks what to do with them.'),
    secrets: z.record(z.string(), z.enum(['same', 'changed', 'added', 'removed'])).optional(),
    warnings: z.array(z.string()),
    plan: z
      .string()
      .optional()
      .describe('Where a source was sent: give it to wf_apply as `plan` with the same source to apply exactly this.'),
  }),
};

export const wfRemove = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField,
    keep_history: z.boolean().default(false).describe('true: revisions stay, wf_rollback can bring it back.'),
    force: z.boolean().default(false).describe('true: also destroy its data in the backing services (exoskeleton).'),
    dry_run: dryRunField,
  }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string(),
    dry_run: z.boolean(),
    deleted: z.array(z.string()).describe('Kind/namespace/name of all that went, or would go with dry_run.'),
    exo_cleanup: z.record(z.string(), z.string()),
  }),
};

export const wfRestart = {
  input: z.strictObject({ enclave: enclaveField, name: nameField }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string(),
    restarted_at: timestamp('Written into the pod template; the rollout goes on by itself, see wf_status.'),
  }),
};
