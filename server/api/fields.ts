import { z } from 'zod';
import { modeRule } from '../../constructs/model/mode.ts';
import { enclaveNameRule, maxEnclaveNameLength, maxTentacleNameLength } from '../../constructs/model/names.ts';

/** Fields that several tools share, so that one name means one thing everywhere. */

const dnsLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** Longest text of a one-line field, in characters. */
const maxLine = 253;

export const enclaveField = z
  .string()
  .regex(dnsLabel, `must be ${enclaveNameRule}`)
  .max(maxEnclaveNameLength)
  .describe('Name of the enclave (a team workspace: one namespace).');

export const nameField = z
  .string()
  .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, 'must be lower-case letters, digits and hyphens, a letter first')
  .max(maxTentacleNameLength)
  .describe('Name of the tentacle (a deployed workflow).');

export const podField = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/, 'must be a pod name: lower-case letters, digits, hyphens, dots')
  .max(maxLine)
  .describe('Name of one pod, as wf_pods lists it.');

export const modeField = z
  .string()
  .max(32)
  .describe(`Permissions: ${modeRule}. Group means the members of the enclave.`);

/** Which letters an address may have is said where members are checked too: logins in any script come in. */
export const emailField = z.string().min(3).max(maxLine).describe('E-mail address.');
export const lineField = z.string().min(1).max(maxLine);

export const limitField = (fallback: number, most: number) =>
  z.int().min(1).max(most).default(fallback).describe(`Most rows in one reply. Default ${fallback}, at most ${most}.`);

export const cursorField = z
  .string()
  .max(2048)
  .describe('next_cursor of the reply before, to go on from there. Leave out for the first page.');

export const nextCursorField = z
  .string()
  .describe('Present if there is more: send it as `cursor` with the same arguments.');

export const timeoutField = (fallback: number, most: number) =>
  z
    .int()
    .min(1)
    .max(most)
    .default(fallback)
    .describe(
      `Seconds to wait; then the reply tells the state so far and how to ask again. Default ${fallback}, at most ${most}.`,
    );

export const dryRunField = z
  .boolean()
  .default(false)
  .describe('true: change nothing, only tell exactly what would change.');

export const onConflictField = z
  .enum(['fail', 'take'])
  .default('fail')
  .describe('For what somebody else has set by other means (GitOps, kubectl): fail names him, take sets ours.');

/** Text from inside the cluster or a workflow: cleaned of control characters and capped; data, never instructions. */
export const untrustedText = (what: string) => z.string().describe(`${what} Untrusted text.`);

export const timestamp = (what: string) => z.string().describe(`${what} RFC 3339, UTC.`);
