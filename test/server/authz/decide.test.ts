import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import { toolApis } from '../../../server/api/tools.ts';
import { decide } from '../../../server/authz/decide.ts';
import { type OperationName, operations } from '../../../server/authz/operations.ts';

const principal = { kind: 'token', name: 'bearer-token' } as const;
const frozen = { [annotationKeys.enclaveStatus]: 'frozen' };
const names = Object.keys(operations) as OperationName[];

describe('authorization', () => {
  it('every tool has a row in the table of operations, and every row a tool', () => {
    // wf_apply is two operations, and wf_remove a second one for remains.
    const expected = [...Object.keys(toolApis), 'wf_create', 'wf_update', 'wf_remove_remains'].filter(
      (name) => name !== 'wf_apply',
    );
    expect([...names].sort()).toEqual(expected.sort());
  });

  it.each(names)('a bearer token bypasses the evaluator: %s', (operation) => {
    expect(decide({ principal, operation, enclave: {}, tentacle: {} })).toMatchObject({ allowed: true });
  });

  it.each(names)('in a frozen enclave only applies are refused, whoever asks: %s', (operation) => {
    const refused = operation === 'wf_create' || operation === 'wf_update';
    const decision = decide({ principal, operation, enclave: frozen, tentacle: {} });
    expect(decision.allowed).toBe(!refused);
    if (!decision.allowed)
      expect(decision).toMatchObject({ code: 'frozen', reason: expect.stringContaining('frozen') });
  });

  it('the retired prefix freezes nothing: it is never read', () => {
    const enclave = { 'tentacular.dev/enclave-status': 'frozen' };
    expect(decide({ principal, operation: 'wf_create', enclave }).allowed).toBe(true);
  });
});
