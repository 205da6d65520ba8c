import { describe, expect, it } from 'vitest';
import { faultsOf, TentacularError } from '../../constructs/model/errors.ts';
import { renderTentacle } from '../../constructs/render.ts';
import { baseOptions } from './cases/case.ts';
import { faultCases } from './fault-cases.ts';
import { expectGolden, expectNoStaleGoldens } from './golden.ts';

const options = { ...baseOptions, apiServerCidrs: ['198.51.100.7/32'] };

describe('goldens of refusals', () => {
  it.each(faultCases.map((fault) => [fault.name, fault] as const))('%s', (name, { shows, workflow, files = {} }) => {
    let refusal: unknown;
    try {
      renderTentacle({ enclave: 'team', workflow, files }, options);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(TentacularError);
    if (!(refusal instanceof TentacularError)) return;
    const { code, message, hint } = refusal;
    expect(message.length).toBeLessThan(20_000);
    const pin = { shows, code, message: message.split('\n'), hint, faults: faultsOf(refusal) };
    expectGolden(`faults/${name}.json`, `${JSON.stringify(pin, null, 2)}\n`);
  });

  it('no golden is left without a case', () => {
    expectNoStaleGoldens(
      'faults',
      faultCases.map(({ name }) => `${name}.json`),
    );
  });
});
