import { z } from 'zod';
import {
  cursorField,
  enclaveField,
  limitField,
  lineField,
  nameField,
  nextCursorField,
  podField,
  untrustedText,
} from './fields.ts';

export const wfList = {
  input: z.strictObject({
    enclave: enclaveField.optional().describe('Only this enclave. Default: all that the caller may read.'),
    owner: lineField.optional().describe('Only tentacles whose owner has this e-mail or subject.'),
    tag: lineField.optional().describe('Only tentacles with this tag.'),
    limit: limitField(100, 500),
    cursor: cursorField.optional(),
  }),
  output: z.strictObject({
    workflows: z.array(
      z.strictObject({
        name: z.string(),
        enclave: z.string(),
        description: untrustedText('From the workflow.').optional(),
        version: z.string().optional(),
        owner: z.string().optional().describe('E-mail of the owner, else subject; absent: nobody owns it.'),
        environment: z.string().optional(),
        tags: z.array(z.string()),
        mode: z.string().optional(),
        ready: z.boolean(),
        replicas: z.int().describe('Wanted.'),
        available: z.int(),
        health: z
          .enum(['green', 'amber', 'red'])
          .describe('From the Deployment alone: red none available, amber fewer than wanted or rolling out.'),
        cron: z.string().optional().describe('Its schedules, joined with "; ".'),
        age: z.string().describe('Since it was created, e.g. 3d4h.'),
        created_at: z.string().optional(),
        deployed_by: z.string().optional(),
        deployed_via: untrustedText('Client name and version of the last apply.').optional(),
        retired_annotations: z
          .boolean()
          .optional()
          .describe(
            'true: it still carries tentacular.dev/* annotations, which count for nothing: permissions_set (owner) adopts it.',
          ),
      }),
    ),
    total: z.int(),
    next_cursor: nextCursorField.optional(),
  }),
};

const podShape = z.strictObject({
  name: z.string(),
  tentacle: z.string().optional(),
  phase: z.string(),
  ready: z.boolean(),
  restarts: z.int(),
  reason: untrustedText('Why it is not ready: waiting or termination reason.').optional(),
  message: untrustedText('The message that goes with the reason.').optional(),
  node: z.string().optional(),
  age: z.string(),
  containers: z.array(
    z.strictObject({
      name: z.string(),
      image: z.string(),
      ready: z.boolean(),
      restarts: z.int(),
      state: z.enum(['waiting', 'running', 'terminated', 'unknown']),
      reason: z.string().optional(),
      exit_code: z.int().optional(),
    }),
  ),
});

const eventShape = z.strictObject({
  last_seen: z.string(),
  type: z.string().describe('Normal or Warning.'),
  reason: z.string(),
  object: z.string().describe('Kind/name that it is about.'),
  message: untrustedText('What happened.'),
  count: z.int(),
});

export const wfStatus = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField,
    detail: z.boolean().default(false).describe('true: pods and recent events too.'),
  }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string(),
    version: z.string().optional(),
    revision: z.int().optional(),
    spec_hash: z.string().optional(),
    image: z.string(),
    replicas: z.int().describe('Wanted.'),
    available: z.int(),
    ready: z.boolean(),
    ready_replicas: z.int(),
    rollout: z.strictObject({
      state: z.enum(['complete', 'in-progress', 'failed']),
      message: untrustedText('In the words of the cluster.').optional(),
    }),
    drift: z
      .boolean()
      .optional()
      .describe('true: live objects differ from the stored revision, wf_diff tells where; absent: no stored revision.'),
    conditions: z.array(
      z.strictObject({
        type: z.string(),
        status: z.string(),
        reason: z.string().optional(),
        message: untrustedText('In the words of the cluster.').optional(),
        since: z.string().optional(),
      }),
    ),
    pods: z.array(podShape).optional(),
    events: z.array(eventShape).optional(),
  }),
};

export const wfPods = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField.optional().describe('Only pods of this tentacle. Default: every pod in the enclave.'),
    limit: limitField(100, 500),
    cursor: cursorField.optional(),
  }),
  output: z.strictObject({ pods: z.array(podShape), total: z.int(), next_cursor: nextCursorField.optional() }),
};

export const wfEvents = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField.optional().describe('Only events about objects of this tentacle. Default: the whole enclave.'),
    limit: limitField(50, 500),
    cursor: cursorField.optional(),
  }),
  output: z.strictObject({
    events: z.array(eventShape).describe('Newest first.'),
    total: z.int(),
    next_cursor: nextCursorField.optional(),
  }),
};

export const wfLogs = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField.optional().describe('Tentacle whose pods are read. Give this or `pod`.'),
    pod: podField.optional(),
    container: z.string().max(63).optional().describe('One container. Default: every container of the pod.'),
    tail_lines: z
      .int()
      .min(1)
      .max(5000)
      .default(200)
      .describe('Last lines of each container. Default 200, at most 5000.'),
    since_seconds: z.int().min(1).max(604_800).optional().describe('Only lines of the last so many seconds.'),
    previous: z.boolean().default(false).describe('true: the container before its last restart, to see why it died.'),
    grep: z.string().min(1).max(200).optional().describe('Only lines that contain this text (plain, not a pattern).'),
  }),
  output: z.strictObject({
    lines: z
      .array(
        z.strictObject({
          pod: z.string(),
          container: z.string(),
          text: untrustedText('The line.'),
        }),
      )
      .describe('Oldest first.'),
    pods: z.array(z.string()).describe('Pods that were read.'),
    truncated: z.boolean().describe('true: older lines were left out; narrow down to see them.'),
    notes: z.array(z.string()).describe('What was left out, and containers without logs with the reason.'),
  }),
};
