import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, useStage } from '../support/people.ts';
import { expectDocumented } from './troubleshooting-table.ts';

/** Each row of docs/authorization.md: the message, then what the row says to do, then the same call again. */
describe('a caller who is told', () => {
  const stage = useStage({ policy: { enabled: true, provisioners: ['@example.com', 'max@example.com'] } });
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'team-a';
  const hello = (name: string, more: JsonObject = {}) => ({ enclave, ...helloWorkflow(name, more) });

  beforeAll(async () => {
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com'] });
  });

  async function expectRefused(who: Person, tool: string, args: JsonObject, code: string): Promise<void> {
    const error = await as(who).refused(tool, args);
    expect(error.code).toBe(code);
    const [firstLine = ''] = error.message.split('\n');
    expectDocumented(firstLine);
  }

  it('that the resource has no owner has it adopted, or removed', async () => {
    await as('bearer').ok('wf_apply', hello('orphan'));
    await expectRefused('mia', 'wf_status', { enclave, name: 'orphan' }, 'no_owner');
    await as('olga').ok('permissions_set', { enclave, name: 'orphan', owner: 'olga@example.com' });
    await as('mia').ok('wf_status', { enclave, name: 'orphan' });
    await as('bearer').ok('wf_apply', hello('other-orphan'));
    await as('olga').ok('wf_remove', { enclave, name: 'other-orphan' });
    await as('mia').ok('wf_apply', hello('other-orphan'));
  });

  it('that a right of the tentacle is missing has its owner give it', async () => {
    await as('olga').ok('wf_apply', hello('shared'));
    const change = hello('shared', { description: 'by mia' });
    await expectRefused('mia', 'wf_apply', change, 'permission_denied');
    await as('olga').ok('permissions_set', { enclave, name: 'shared', mode: 'member-edit' });
    await as('mia').ok('wf_apply', change);
  });

  it('that a right of the enclave is missing has its owner give it', async () => {
    await as('olga').ok('enclave_sync', { name: enclave, new_mode: 'rwxr-x---' });
    await expectRefused('mia', 'wf_apply', hello('new-one'), 'permission_denied');
    await as('olga').ok('enclave_sync', { name: enclave, new_mode: 'member-edit' });
    await as('mia').ok('wf_apply', hello('new-one'));
  });

  it('that only the owner of the enclave may asks him', async () => {
    const change = { name: enclave, add_members: ['max@example.com'] };
    await expectRefused('mia', 'enclave_sync', change, 'permission_denied');
    await as('olga').ok('enclave_sync', change);
    expect(await as('max').ok('enclave_info', { name: enclave })).toMatchObject({ caller_role: 'group' });
  });

  it('that only the owner of the tentacle may asks him, or that of the enclave', async () => {
    await as('olga').ok('wf_apply', hello('moded'));
    const change = { enclave, name: 'moded', mode: 'member-run' };
    await expectRefused('mia', 'permissions_set', change, 'permission_denied');
    await as('olga').ok('permissions_set', change);
    expect(await as('olga').ok('permissions_get', { enclave, name: 'moded' })).toMatchObject({ mode: 'rwx--x---' });
  });

  it('that his address is not verified is a member as soon as it is', async () => {
    await as('olga').ok('enclave_provision', { name: 'open', mode: 'open-read', members: ['ursula@example.com'] });
    const create = { ...hello('mine'), enclave: 'open' };
    await expectRefused('ursula', 'wf_apply', create, 'permission_denied');
    await as('ursulaVerified').ok('wf_apply', create);
  });

  it('that provisioners alone may asks one, or a bearer token', async () => {
    const large = { name: 'large', quota_preset: 'large' };
    await expectRefused('mia', 'enclave_provision', large, 'permission_denied');
    await as('max').ok('enclave_provision', { ...large, owner_email: 'mia@example.com' });
    expect(await as('mia').ok('enclave_info', { name: 'large' })).toMatchObject({ caller_role: 'owner' });
  });

  it('that there is no such enclave, although there is, is made a member', async () => {
    await expectRefused('eve', 'enclave_info', { name: enclave }, 'not_found');
    await as('olga').ok('enclave_sync', { name: enclave, add_members: ['eve@example.com'] });
    await as('eve').ok('enclave_info', { name: enclave });
  });

  it('that a name is taken, although he sees nothing of it, takes another', async () => {
    await as('olga').ok('wf_apply', { ...hello('hidden'), mode: 'private' });
    await expectRefused('mia', 'wf_apply', hello('hidden'), 'conflict');
    await as('mia').ok('wf_apply', hello('unhidden'));
  });

  it('that the enclave is frozen has it set active', async () => {
    await as('olga').ok('enclave_sync', { name: enclave, new_status: 'frozen' });
    await expectRefused('mia', 'wf_apply', hello('thawed'), 'frozen');
    await as('olga').ok('enclave_sync', { name: enclave, new_status: 'active' });
    await as('mia').ok('wf_apply', hello('thawed'));
  });

  it('that five enclaves are his takes one away', async () => {
    for (let n = 1; n <= 5; n++) await as('eve').ok('enclave_provision', { name: `eve-${n}` });
    await expectRefused('eve', 'enclave_provision', { name: 'eve-6' }, 'quota_exceeded');
    await as('eve').ok('enclave_deprovision', { name: 'eve-1', confirm: true });
    await as('eve').ok('enclave_provision', { name: 'eve-6' });
  });

  it('that another manager owns a field takes it when he means to', async () => {
    const live = await stage().harness.cluster.enclave(enclave);
    if (!live) throw new Error('the enclave is gone');
    const annotations = { 'tentacular.io/mode': 'rwxrwx--x' };
    await stage().harness.cluster.writer.applyFields(live, { metadata: { annotations } }, 'argocd', { force: true });
    const change = { name: enclave, new_mode: 'member-edit' };
    await expectRefused('olga', 'enclave_sync', change, 'conflict');
    await as('olga').ok('enclave_sync', { ...change, on_conflict: 'take' });
  });
});

describe('a person who is told', () => {
  const listing = useStage({ policy: { enabled: true, provisioners: ['max@example.com'] } });
  const open = useStage();

  it('that he is no provisioner has one make the enclave, or his address verified', async () => {
    const ours = { name: 'ours' };
    expectDocumented((await listing().as('mia').refused('enclave_provision', ours)).message);
    await listing()
      .as('max')
      .ok('enclave_provision', { ...ours, owner_email: 'mia@example.com' });
    expect(await listing().as('mia').ok('enclave_info', ours)).toMatchObject({ caller_role: 'owner' });
    expectDocumented((await open().as('ursula').refused('enclave_provision', ours)).message);
    await open().as('ursulaVerified').ok('enclave_provision', ours);
  });
});

describe('a service account that is told', () => {
  const listing = useStage({ policy: { enabled: true, provisioners: ['client:ci'] } });
  const listingNobody = useStage();

  it('that a service account must be named is named', async () => {
    const error = await listingNobody().as('ci').refused('enclave_provision', { name: 'robots' });
    expect(error.code).toBe('permission_denied');
    expectDocumented(error.message);
    await listing().as('ci').ok('enclave_provision', { name: 'robots' });
  });
});
