import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { annotationKeys } from '../../../constructs/model/annotations.ts';
import { decide } from '../../../server/authz/decide.ts';
import { type OperationName, operations } from '../../../server/authz/operations.ts';
import { people, person } from '../support/people.ts';

const policy = { enabled: true, provisioners: 'everyone' } as const;
const names = Object.keys(operations) as OperationName[];
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', ',', '__proto__', 'constructor', 'rwxrwxrwx', 'true', 'frozen', 'null', 'undefined', '*'),
);
const anyAnnotations = fc.dictionary(fc.oneof(fc.constantFrom(...Object.values(annotationKeys)), anyText), anyText);
const asks = fc.record({
  operation: fc.constantFrom(...names),
  enclave: anyAnnotations,
  tentacle: anyAnnotations,
});

describe('annotations that anybody could have written', () => {
  it('never make the evaluator fail', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(people)), asks, (principal, ask) => {
        const decision = decide({ principal, policy, ...ask });
        expect(decision.reason).not.toBe('');
      }),
      { numRuns: 2000 },
    );
  });

  it('give nothing to a stranger where the mode gives nothing to others', () => {
    const closed = fc.constantFrom('rwxrwx---', 'private', 'nonsense', '');
    fc.assert(
      fc.property(closed, asks, (mode, { operation, enclave, tentacle }) => {
        if (!('enclave' in operations[operation])) return;
        const own = { [annotationKeys.mode]: mode, [annotationKeys.ownerSub]: 'somebody' };
        const principal = person('stranger-of-all');
        const decision = decide({ principal, policy, operation, enclave: { ...enclave, ...own }, tentacle });
        expect(decision).toMatchObject({ allowed: false, code: 'not_found', hides: 'enclave' });
      }),
      { numRuns: 2000 },
    );
  });

  it('of another prefix make no difference', () => {
    const foreign = fc.dictionary(
      anyText.map((text) => (text.startsWith('tentacular.io/') ? `x${text}` : text)),
      anyText,
    );
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(people)), asks, foreign, (principal, ask, noise) => {
        const plain = decide({ principal, policy, ...ask });
        const noisy = decide({ principal, policy, ...ask, enclave: { ...noise, ...ask.enclave } });
        expect(noisy).toEqual(plain);
      }),
    );
  });
});
