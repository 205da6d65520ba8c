import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import type { OidcPrincipal } from '../../../constructs/model/principal.ts';
import { toolApis } from '../../../server/api/tools.ts';
import { decide } from '../../../server/authz/decide.ts';
import { type OperationName, operations } from '../../../server/authz/operations.ts';

const principal = { kind: 'token', name: 'bearer-token' } as const;
const policy = { enabled: true, provisioners: 'everyone' } as const;
const frozen = { [annotationKeys.enclaveStatus]: 'frozen' };
const names = Object.keys(operations) as OperationName[];

/** What the tools are made of, where one of them is more than one operation. */
const parts: Readonly<Record<string, readonly string[]>> = {
  wf_apply: ['wf_create', 'wf_update'],
  wf_diff: ['wf_diff', 'wf_diff_new', 'wf_diff_secrets'],
  wf_remove: ['wf_remove', 'wf_remove_remains'],
  enclave_provision: ['enclave_provision', 'enclave_for_others', 'quota_above_default'],
  permissions_set: ['enclave_permissions', 'tentacle_mode', 'tentacle_owner'],
};

const ada: OidcPrincipal = {
  kind: 'oidc',
  name: 'ada@example.com',
  sub: 'ada',
  email: 'ada@example.com',
  emailUnverified: false,
  client: 'tentacular-mcp',
  service: false,
  provider: 'oidc',
};
const { email: _email, ...withoutEmail } = ada;
const unverified: OidcPrincipal = { ...withoutEmail, name: 'ada', emailUnverified: true };
const robot: OidcPrincipal = { ...withoutEmail, name: 'client:ci', sub: 'robot', client: 'ci', service: true };

describe('authorization', () => {
  it('every tool has a row in the table of operations, and every row a tool', () => {
    const expected = Object.keys(toolApis).flatMap((name) => parts[name] ?? [name]);
    expect([...names].sort()).toEqual(expected.sort());
  });

  it.each(names)('a bearer token bypasses the evaluator: %s', (operation) => {
    expect(decide({ principal, policy, operation, enclave: {}, tentacle: {} })).toMatchObject({ allowed: true });
  });

  it.each(names)(
    'with the evaluator turned off everybody may do everything, and the reason says so: %s',
    (operation) => {
      const off = { enabled: false, provisioners: [] };
      const enclave = { [annotationKeys.mode]: 'rwx------', [annotationKeys.ownerSub]: 'olga' };
      const decision = decide({ principal: unverified, policy: off, operation, enclave, tentacle: {} });
      expect(decision).toEqual({ allowed: true, reason: expect.stringContaining('TENTACULAR_AUTHZ_ENABLED=false') });
    },
  );

  it.each(names)('in a frozen enclave only applies are refused, whoever asks: %s', (operation) => {
    const refused = operation === 'wf_create' || operation === 'wf_update';
    const owned = { ...frozen, [annotationKeys.ownerSub]: 'ada' };
    for (const asking of [principal, ada]) {
      const policyOfAda = { enabled: true, provisioners: ['ada@example.com'] };
      const decision = decide({ principal: asking, policy: policyOfAda, operation, enclave: owned, tentacle: {} });
      expect(decision.allowed).toBe(!refused);
      if (!decision.allowed)
        expect(decision).toMatchObject({ code: 'frozen', reason: expect.stringContaining('frozen') });
    }
  });

  it.each([
    ['frozen', false],
    ['Frozen', false],
    ['freeze', false],
    ['active', true],
    ['', true],
  ])('a status of %j that was written by other means takes applies: %s', (status, allowed) => {
    const enclave = { [annotationKeys.enclaveStatus]: status };
    expect(decide({ principal, policy, operation: 'wf_update', enclave })).toMatchObject({ allowed });
  });

  it('the retired prefix freezes nothing, owns nothing and opens nothing: it is never read', () => {
    const retired = (name: string) => `tentacular.dev/${name}`;
    const enclave = { [retired('enclave-status')]: 'frozen' };
    expect(decide({ principal, policy, operation: 'wf_create', enclave }).allowed).toBe(true);
    const closed = {
      [retired('owner-sub')]: 'ada',
      [retired('owner-email')]: 'ada@example.com',
      [retired('enclave-members')]: 'ada@example.com',
      [retired('mode')]: 'rwxrwxrwx',
    };
    const decision = decide({ principal: ada, policy, operation: 'enclave_info', enclave: closed });
    expect(decision).toMatchObject({ allowed: false, code: 'not_found', hides: 'enclave' });
  });

  it('a tentacle of the retired prefix has no owner, and the refusal points it out', () => {
    const enclave = { [annotationKeys.enclaveMembers]: 'ada@example.com', [annotationKeys.ownerSub]: 'olga' };
    const tentacle = { 'tentacular.dev/owner-sub': 'ada' };
    const decision = decide({ principal: ada, policy, operation: 'wf_status', enclave, tentacle });
    expect(decision).toMatchObject({ code: 'no_owner', reason: expect.stringContaining('tentacular.dev/*') });
    expect(decision.reason).toMatch(/^resource has no owner/);
  });

  it('a mode that cannot be read closes what it is about; one that is missing means the default', () => {
    const enclave = { [annotationKeys.enclaveMembers]: 'ada@example.com', [annotationKeys.ownerSub]: 'olga' };
    const tentacle = { [annotationKeys.ownerSub]: 'olga' };
    const may = (operation: OperationName, more: object = {}, mode: object = {}) =>
      decide({
        principal: ada,
        policy,
        operation,
        enclave: { ...enclave, ...more },
        tentacle: { ...tentacle, ...mode },
      }).allowed;
    expect([may('wf_create'), may('wf_status'), may('wf_update')]).toEqual([true, true, false]);
    expect(may('wf_update', { [annotationKeys.defaultMode]: 'member-edit' })).toBe(true);
    for (const hostile of ['rwxrwxrwxrwx', '777', 'RWXRWXRWX', '__proto__', 'constructor', ' rwxrwxrwx', '']) {
      expect(may('enclave_info', { [annotationKeys.mode]: hostile })).toBe(false);
      expect(may('wf_status', {}, { [annotationKeys.mode]: hostile })).toBe(false);
      expect(may('wf_status', { [annotationKeys.defaultMode]: hostile })).toBe(false);
    }
  });

  it('a service account is nobody by an address, whatever it brings along', () => {
    const enclave = {
      [annotationKeys.ownerEmail]: 'ada@example.com',
      [annotationKeys.enclaveMembers]: 'ada@example.com',
    };
    for (const operation of ['enclave_info', 'enclave_sync'] as const) {
      const decision = decide({ principal: { ...robot, email: 'ada@example.com' }, policy, operation, enclave });
      expect(decision).toMatchObject({ allowed: false, code: 'not_found', hides: 'enclave' });
    }
  });

  it('who fails for an unverified address is told so', () => {
    const enclave = {
      [annotationKeys.mode]: 'rwxrwxr--',
      [annotationKeys.ownerSub]: 'olga',
      [annotationKeys.enclaveMembers]: 'ada@example.com',
    };
    const decision = decide({ principal: unverified, policy, operation: 'wf_create', enclave });
    expect(decision).toMatchObject({ code: 'permission_denied', reason: expect.stringContaining('not verified') });
  });
});

describe('provisioners', () => {
  const rows: readonly [string, readonly string[] | 'everyone', OidcPrincipal, boolean, boolean][] = [
    // who may make enclaves                          who asks                      may   by name
    ['everyone', 'everyone', ada, true, false],
    ['everyone verified', 'everyone', unverified, false, false],
    // Harm: with a token that some issuers give any program for any audience, nobody in particular has enclaves here.
    ['everyone, but no service account that is not named', 'everyone', robot, false, false],
    ['nobody', [], ada, false, false],
    ['by address', ['ada@example.com'], ada, true, true],
    ['by another address', ['bob@example.com'], ada, false, false],
    ['by domain', ['@example.com'], ada, true, false],
    ['by another domain', ['@ample.com'], ada, false, false],
    ['by domain, address not verified', ['@example.com'], unverified, false, false],
    ['by client', ['client:ci'], robot, true, true],
    ['by another client', ['client:other', '@example.com'], robot, false, false],
    ['a person through that client', ['client:tentacular-mcp'], ada, false, false],
  ];
  it.each(rows)('%s', (_what, provisioners, asking, may, byName) => {
    const ask = (operation: OperationName) =>
      decide({ principal: asking, policy: { enabled: true, provisioners }, operation });
    expect(ask('enclave_provision').allowed).toBe(may);
    expect(ask('quota_above_default').allowed).toBe(byName);
    expect(ask('enclave_for_others').allowed).toBe(byName);
    for (const decision of [ask('enclave_provision'), ask('quota_above_default')]) {
      expect(decision.reason).not.toBe('');
      if (!decision.allowed) expect(decision.code).toBe('permission_denied');
    }
  });
});
