import { z } from 'zod';
import { maxMembers } from '../../constructs/model/members.ts';
import { quotaPresets } from '../../constructs/model/quota.ts';
import {
  cursorField,
  dryRunField,
  emailField,
  enclaveField,
  limitField,
  lineField,
  modeField,
  nextCursorField,
  onConflictField,
  timeoutField,
  timestamp,
} from './fields.ts';

const quotaPresetField = z
  .enum(Object.keys(quotaPresets) as [keyof typeof quotaPresets, ...(keyof typeof quotaPresets)[]])
  .describe('What the enclave may use in all: small 1 CPU 2 Gi, medium 2 CPU 4 Gi, large 4 CPU 8 Gi. Default medium.');

const membersField = z.array(z.string().min(3).max(320)).max(maxMembers);

/** What every tool tells about one enclave. */
const enclaveShape = {
  name: z.string().describe('Name of the enclave.'),
  namespace: z.string().describe('Its namespace; the same name.'),
  status: z.enum(['active', 'frozen', 'terminating']).describe('frozen: no apply, no rollback, no schedules.'),
  owner: z
    .strictObject({
      sub: z.string().optional().describe('OIDC subject; absent until the first verified login.'),
      email: z.string().optional(),
      name: z.string().optional(),
    })
    .describe('Who owns it.'),
  members: z.array(z.string()).describe('Group of the enclave: e-mail addresses, and client:<id> of service accounts.'),
  more_members: z.int().optional().describe('How many members besides, too many for one reply.'),
  mode: z.string().describe('Permissions of the enclave itself, e.g. rwxrwx---.'),
  preset: z.string().optional().describe('Name of that mode, where it has one.'),
  default_mode: z.string().optional().describe('Mode of new tentacles in it.'),
  quota_preset: z.string().optional(),
  platform: z.string().optional(),
  channel_id: z.string().optional(),
  channel_name: z.string().optional(),
  created_at: z.string().optional().describe('RFC 3339, UTC.'),
  retired_annotations: z
    .boolean()
    .optional()
    .describe('true: its namespace carries tentacular.dev/* annotations, which count for nothing.'),
};

export const enclaveProvision = {
  input: z.strictObject({
    name: enclaveField,
    owner_email: emailField
      .optional()
      .describe(
        'E-mail of the owner; the first verified login with it claims the enclave. Leave out for yourself; required with a bearer token.',
      ),
    owner_sub: lineField.optional().describe('OIDC subject of the owner, where it is known.'),
    members: membersField
      .optional()
      .describe('E-mail addresses, or client:<azp> of service accounts. Group permissions apply to them.'),
    platform: lineField.optional().describe('Chat platform that the enclave belongs to, e.g. slack.'),
    channel_id: lineField.optional().describe('Channel of that platform.'),
    channel_name: lineField.optional().describe('Name of that channel.'),
    quota_preset: quotaPresetField.optional(),
    mode: modeField.optional().describe('Permissions of the enclave. Default rwxrwx---.'),
    default_mode: modeField.optional().describe('Mode of new tentacles in it. Default rwxr-x---.'),
  }),
  output: z.strictObject({
    ...enclaveShape,
    exo_services: z
      .record(z.string(), z.string())
      .describe('State of each backing service; empty without exoskeleton.'),
    resources_created: z.array(z.string()).describe('Kind/namespace/name of each object made by this call.'),
  }),
};

export const enclaveInfo = {
  input: z.strictObject({ name: enclaveField }),
  output: z.strictObject({
    ...enclaveShape,
    exo_services: z.record(z.string(), z.string()),
    member_count: z.int(),
    tentacle_count: z.int(),
    quota: z
      .record(z.string(), z.strictObject({ used: z.string(), hard: z.string() }))
      .describe('cpu, memory and storage: Kubernetes quantities in use and the limit.'),
    updated_at: z.string().optional(),
    caller_role: z.enum(['owner', 'group', 'others', 'bearer']).describe('What the caller is to this enclave.'),
  }),
};

export const enclaveList = {
  input: z.strictObject({
    status: z.enum(['active', 'frozen', 'all']).default('all').describe('Only enclaves in this state. Default all.'),
    limit: limitField(100, 500),
    cursor: cursorField.optional(),
  }),
  output: z.strictObject({
    enclaves: z.array(z.strictObject(enclaveShape)),
    total: z.int().describe('All that match and that the caller may read, on every page together.'),
    next_cursor: nextCursorField.optional(),
  }),
};

export const enclaveSync = {
  input: z.strictObject({
    name: enclaveField,
    members: membersField
      .optional()
      .describe(
        'All members, in place of those there are; tentacles of anybody else go to the owner of the enclave. To change single ones take add_members and remove_members.',
      ),
    add_members: membersField.optional().describe('E-mail addresses, or client:<azp>, to add.'),
    remove_members: membersField
      .optional()
      .describe('Members to remove; their tentacles go to the owner of the enclave.'),
    new_owner: emailField
      .optional()
      .describe('E-mail of the new owner, who claims the enclave with his first verified login; you lose it at once.'),
    new_owner_sub: lineField.optional().describe('OIDC subject of the new owner, where it is known.'),
    new_channel_name: lineField.optional().describe('New name of its channel.'),
    new_status: z
      .enum(['active', 'frozen'])
      .optional()
      .describe('frozen: no apply, no rollback, no schedules; reads, manual runs and wf_remove go on.'),
    new_mode: modeField.optional().describe('Permissions of the enclave itself.'),
    new_default_mode: modeField.optional().describe('Mode of new tentacles in it.'),
    new_quota_preset: quotaPresetField.optional(),
    on_conflict: onConflictField,
  }),
  output: z.strictObject({
    enclave: z.strictObject(enclaveShape),
    updated: z
      .array(z.enum(['members', 'owner', 'channel_name', 'status', 'mode', 'default_mode', 'quota']))
      .describe('What changed; empty where all was so already.'),
    transfers: z
      .array(z.strictObject({ name: z.string(), from: z.string() }))
      .describe('Tentacles that went from removed members to the owner of the enclave.'),
  }),
};

export const enclaveDeprovision = {
  input: z.strictObject({
    name: enclaveField,
    confirm: z
      .boolean()
      .optional()
      .describe('Must be true: the namespace and everything in it are deleted for good. Not needed with dry_run.'),
    dry_run: dryRunField,
    timeout_seconds: timeoutField(60, 600),
  }),
  output: z.strictObject({
    name: z.string(),
    dry_run: z.boolean(),
    tentacles_removed: z.array(z.string()).describe('Names of the tentacles that went (or would go) with it.'),
    objects: z.array(z.string()).optional().describe('With dry_run: every object of ours that would go.'),
    exo_cleanup: z.record(z.string(), z.string()).describe('What happened in each backing service.'),
    namespace_deleted: z.boolean().describe('false: deletion is under way; call again to see whether it is done.'),
    deprovisioned_at: timestamp('When the namespace was gone.').optional(),
    next_step: z.string().optional(),
  }),
};
