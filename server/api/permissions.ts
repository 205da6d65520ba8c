import { z } from 'zod';
import { enclaveField, lineField, modeField, nameField, onConflictField } from './fields.ts';

const permissionsShape = z.strictObject({
  owner: z
    .strictObject({ sub: z.string().optional(), email: z.string().optional(), name: z.string().optional() })
    .describe('Who owns it; empty: nobody.'),
  mode: z.string().describe('Nine characters: owner, group (the members of the enclave), others.'),
  preset: z.string().optional().describe('Name of that mode, where it has one.'),
});

export const permissionsGet = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField.optional().describe('Name of a tentacle. Left out: the enclave itself.'),
  }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string().optional(),
    ...permissionsShape.shape,
    default_mode: z.string().optional().describe('Of an enclave: mode of new tentacles in it.'),
    caller: z.strictObject({
      role: z
        .enum(['bearer', 'enclave-owner', 'owner', 'group', 'others'])
        .describe('What you are to it; bearer: a token without identity, to which permissions do not apply.'),
      rights: z
        .array(
          z.strictObject({
            right: z.enum(['read', 'create', 'write', 'run', 'change_mode', 'change_owner', 'manage']),
            allowed: z.boolean(),
            rule: z.string().describe('By which rule.'),
          }),
        )
        .describe('What you may do: create tentacles in an enclave, write (apply, remove), manage (enclave_sync).'),
    }),
  }),
};

export const permissionsSet = {
  input: z.strictObject({
    enclave: enclaveField,
    name: nameField.optional().describe('Name of a tentacle. Left out: the enclave itself.'),
    mode: modeField.optional(),
    owner: lineField
      .optional()
      .describe(
        'New owner: an OIDC subject or an e-mail address. Of a tentacle only your own address or that of the owner of the enclave, whose subjects are known; of an enclave any.',
      ),
    on_conflict: onConflictField,
  }),
  output: z.strictObject({
    enclave: z.string(),
    name: z.string().optional(),
    before: permissionsShape,
    after: permissionsShape,
  }),
};
