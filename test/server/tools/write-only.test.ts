import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';

describe('an enclave in which members may create and see nothing', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'letter-box';
  beforeAll(async () => {
    const members = ['mia@example.com', 'max@example.com'];
    await as('olga').ok('enclave_provision', { name: enclave, members, mode: 'rwx-w----' });
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('there-1') });
  });

  // Also his own: what is not readable does not exist, whoever made it.
  it.each<[string, JsonObject]>([
    ['wf_status', {}],
    ['wf_run', {}],
    ['wf_runs', {}],
    ['wf_logs', {}],
    ['wf_pods', {}],
    ['wf_events', {}],
    ['wf_diff', {}],
    ['wf_apply', {}],
    ['wf_restart', {}],
    ['wf_remove', {}],
    ['wf_remove', { dry_run: true }],
    ['permissions_get', {}],
    ['permissions_set', { mode: 'open-run' }],
  ])('%s %j answers of what is there as of what is not', async (tool, args) => {
    for (const who of ['mia', 'max'] as const) {
      const ask = async (name: string) => (await as(who).call(tool, { enclave, name, ...args })).text;
      expect((await ask('there-1')).replaceAll('there-1', 'absent1')).toBe(await ask('absent1'));
    }
    expect(await as('olga').ok('wf_status', { enclave, name: 'there-1' })).toMatchObject({ revision: 1 });
  });

  it('says of a name only that it is taken, and of itself nothing', async () => {
    const error = await as('mia').refused('wf_apply', { enclave, ...helloWorkflow('there-1', { description: 'x' }) });
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('taken') });
    expect(await as('mia').refused('enclave_info', { name: enclave })).toMatchObject({ code: 'not_found' });
    expect(await as('mia').ok('enclave_list', {})).toMatchObject({ enclaves: [], total: 0 });
  });
});
