import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';

let counter = 0;

describe('enclave_sync', () => {
  const stage = useStage();
  let enclave: string;
  beforeEach(async () => {
    enclave = `sync-${++counter}`;
    await as('bearer').ok('enclave_provision', {
      name: enclave,
      owner_email: 'olga@example.com',
      owner_sub: people.olga.sub,
      members: ['mia@example.com', 'client:ci'],
    });
  });

  const as = (who: Person | 'bearer') => stage().as(who);
  const sync = (args: JsonObject, who: Person | 'bearer' = 'olga') =>
    as(who).ok('enclave_sync', { name: enclave, ...args });
  const refusedSync = (args: JsonObject, who: Person = 'olga') =>
    as(who).refused('enclave_sync', { name: enclave, ...args });
  const apply = (who: Person | 'bearer', name: string, more: JsonObject = {}) =>
    as(who).ok('wf_apply', { enclave, ...helloWorkflow(name), ...more });
  const ownerOf = async (name: string) => (await as('olga').ok('permissions_get', { enclave, name })).owner;
  const namespace = async () => (await stage().harness.cluster.enclave(enclave))?.metadata.annotations ?? {};
  const writesOf = async (work: () => Promise<unknown>) => {
    const before = stage().proxy.seen.filter(({ isWrite }) => isWrite).length;
    await work();
    return stage().proxy.seen.filter(({ isWrite }) => isWrite).length - before;
  };

  it('is for the owner of the enclave alone, and for bearer callers', async () => {
    expect(await refusedSync({ add_members: ['eve@example.com'] }, 'mia')).toMatchObject({ code: 'permission_denied' });
    expect(await refusedSync({ add_members: ['eve@example.com'] }, 'ci')).toMatchObject({ code: 'permission_denied' });
    expect(await refusedSync({ add_members: ['eve@example.com'] }, 'eve')).toMatchObject({ code: 'not_found' });
    expect(await sync({ add_members: ['eve@example.com'] }, 'bearer')).toMatchObject({ updated: ['members'] });
  });

  it('adds and removes members, and a second identical call writes nothing', async () => {
    const change = { add_members: ['Max@Example.com'], remove_members: ['client:ci'] };
    expect(await sync(change)).toMatchObject({
      updated: ['members'],
      enclave: { members: ['max@example.com', 'mia@example.com'] },
      transfers: [],
    });
    expect(await writesOf(async () => expect(await sync(change)).toMatchObject({ updated: [] }))).toBe(0);
    expect(await sync({ members: ['client:CI'] })).toMatchObject({ enclave: { members: ['client:CI'] } });
    // A client's id is not the same in another case.
    expect(await as('ci').refused('enclave_info', { name: enclave })).toMatchObject({ code: 'not_found' });
  });

  it('the last member can be removed', async () => {
    expect(await sync({ members: [] })).toMatchObject({ updated: ['members'], enclave: { members: [] } });
    expect(await as('mia').refused('enclave_info', { name: enclave })).toMatchObject({ code: 'not_found' });
  });

  it.each([
    ['no address', { add_members: ['nobody'] }],
    ['a comma in a name', { add_members: ['a@example.com,eve@example.com'] }],
    ['a line break in a name', { add_members: ['a@example.com\neve@example.com'] }],
    ['an invisible character', { add_members: ['mi\u200ba@example.com'] }],
    ['added and removed at once', { add_members: ['a@example.com'], remove_members: ['a@example.com'] }],
    ['a mode that is none', { new_mode: 'rwxrwxrwt' }],
    ['a default mode that is none', { new_default_mode: '770' }],
    ['an owner that is no address', { new_owner: 'nobody' }],
    [
      'the own subject under an address of somebody else',
      { new_owner: 'boss@example.com', new_owner_sub: 'sub-of-olga' },
    ],
    ['the own address over a subject of somebody else', { new_owner: 'olga@example.com', new_owner_sub: 'sub-of-max' }],
    ['a subject with a control character', { new_owner_sub: 'sub\u0000x' }],
    ['a quota that is none', { new_quota_preset: 'huge' }],
  ])('%s is invalid_input, and nothing is changed', async (_what, args) => {
    const before = await namespace();
    expect(await refusedSync(args)).toMatchObject({ code: 'invalid_input' });
    expect(await namespace()).toEqual(before);
  });

  // Two people who add members at the same moment: read-modify-write without a check would keep only one of them.
  it('concurrent syncs lose no member', async () => {
    const added = Array.from({ length: 12 }, (_, index) => `new-${index}@example.com`);
    const removed = ['mia@example.com', 'client:ci'];
    await Promise.all([
      ...added.map((member) => sync({ add_members: [member] })),
      ...removed.map((member) => sync({ remove_members: [member] })),
      sync({ new_channel_name: 'general' }),
    ]);
    const { members, channel_name } = await as('olga').ok('enclave_info', { name: enclave });
    expect(members).toEqual([...added].sort());
    expect(channel_name).toBe('general');
  });

  it('a change whose answer is lost is told as done, and done once', async () => {
    let lost = 0;
    stage().proxy.rule(({ isWrite, path }) =>
      isWrite && path.includes(`/namespaces/${enclave}?`) && !lost++ ? 'lose' : 'pass',
    );
    expect(await sync({ add_members: ['max@example.com'] })).toMatchObject({ updated: ['members'] });
    stage().proxy.rule(() => 'pass');
    expect(lost).toBe(1);
  });

  it("a removed member's tentacles go to the owner of the enclave, the others stay with theirs", async () => {
    await apply('mia', 'of-mia');
    await apply('ci', 'of-ci');
    await apply('olga', 'of-olga');
    await apply('bearer', 'of-nobody');
    const { transfers } = await sync({ remove_members: ['MIA@example.com'] });
    expect(transfers).toEqual([{ name: 'of-mia', from: 'mia@example.com' }]);
    expect(await ownerOf('of-mia')).toMatchObject({ sub: people.olga.sub, email: 'olga@example.com' });
    expect(await ownerOf('of-ci')).toMatchObject({ sub: people.ci.sub, name: 'client:ci' });
    expect(await ownerOf('of-nobody')).toEqual({});
    expect((await sync({ members: [] })).transfers).toEqual([{ name: 'of-ci', from: 'client:ci' }]);
    expect(await as('mia').refused('wf_status', { enclave, name: 'of-mia' })).toMatchObject({ code: 'not_found' });
  });

  it('a transfer that was cut off is completed by the same call again', async () => {
    await apply('mia', 'one');
    await apply('mia', 'two');
    stage().proxy.rule(({ isWrite, path }) =>
      isWrite && path.includes('/deployments/two') ? { status: 500 } : 'pass',
    );
    await refusedSync({ remove_members: ['mia@example.com'] });
    stage().proxy.rule(() => 'pass');
    expect(await ownerOf('two')).toMatchObject({ sub: people.mia.sub });
    const again = await sync({ remove_members: ['mia@example.com'] });
    expect(again).toMatchObject({ updated: [], transfers: [{ name: 'two', from: 'mia@example.com' }] });
  });

  it('a new owner has it at once by his subject, or claims it by his address; the old one has lost it', async () => {
    expect(await sync({ new_owner: 'Max@example.com' })).toMatchObject({
      updated: ['owner'],
      enclave: { owner: { email: 'max@example.com' } },
    });
    expect(await refusedSync({ new_owner: 'olga@example.com' })).toMatchObject({ code: 'not_found' });
    expect((await as('max').ok('enclave_info', { name: enclave })).owner).toMatchObject({ sub: people.max.sub });
    const { name: who } = people.eve;
    expect(await sync({ new_owner: who, new_owner_sub: people.eve.sub }, 'bearer')).toMatchObject({
      enclave: { owner: { email: who, sub: people.eve.sub } },
    });
    expect(await as('max').refused('enclave_info', { name: enclave })).toMatchObject({ code: 'not_found' });
    expect(await as('eve').ok('enclave_sync', { name: enclave })).toMatchObject({ updated: [] });
  });

  // After a change of the issuer the same people have other subjects.
  it('whose subject is another one now has the enclave again by it; his address alone changes nothing', async () => {
    await sync({ new_owner: 'max@example.com', new_owner_sub: 'sub-of-max-at-another-issuer' }, 'bearer');
    expect(await sync({ new_owner: 'max@example.com' }, 'bearer')).toMatchObject({ updated: [] });
    expect(await refusedSync({}, 'max')).toMatchObject({ code: 'not_found' });
    const owner = { email: 'max@example.com', sub: people.max.sub };
    expect(await sync({ new_owner: owner.email, new_owner_sub: owner.sub }, 'bearer')).toMatchObject({
      updated: ['owner'],
      enclave: { owner },
    });
    expect(await sync({}, 'max')).toMatchObject({ updated: [] });
  });

  // Without it, an owner who is put out while his call waits for a conflict would still change the enclave.
  it('each try decides anew: who loses the enclave in between changes nothing', async () => {
    const live = await stage().harness.cluster.enclave(enclave);
    if (!live) throw new Error('the enclave is gone');
    const { annotations } = live.metadata;
    const lost = { ...annotations, 'tentacular.io/owner-sub': people.max.sub, 'tentacular.io/mode': 'rwxr-----' };
    let stolen = false;
    stage().proxy.rule(({ isWrite, path }) => {
      if (isWrite && path.includes(`/namespaces/${enclave}?`) && !stolen) {
        stolen = true;
        stage().fake.put({ ...live, metadata: { ...live.metadata, annotations: lost } });
      }
      return 'pass';
    });
    expect(await refusedSync({ add_members: ['max@example.com'] })).toMatchObject({ code: 'not_found' });
    stage().proxy.rule(() => 'pass');
    expect(stolen).toBe(true);
    expect(await namespace()).toEqual(lost);
  });

  it('a frozen enclave takes no apply, from nobody; reads, removal and its owner go on', async () => {
    await apply('mia', 'hello');
    expect(await sync({ new_status: 'frozen' })).toMatchObject({ updated: ['status'], enclave: { status: 'frozen' } });
    for (const who of ['olga', 'mia', 'bearer'] as const) {
      for (const name of ['hello', 'new-one']) {
        const error = await as(who).refused('wf_apply', { enclave, ...helloWorkflow(name, { description: 'x' }) });
        expect(error).toMatchObject({ code: 'frozen', hint: expect.stringContaining('enclave_sync') });
      }
    }
    expect(await as('mia').ok('wf_status', { enclave, name: 'hello' })).toBeDefined();
    expect(await as('mia').ok('wf_remove', { enclave, name: 'hello' })).toBeDefined();
    expect(await sync({ new_status: 'active' })).toMatchObject({ updated: ['status'] });
    await apply('mia', 'hello');
  });

  it('a quota changes what the cluster enforces, also where an earlier call was cut off in between', async () => {
    const hard = async () => ((await as('olga').ok('enclave_info', { name: enclave })).quota as JsonObject).cpu;
    expect(await hard()).toMatchObject({ hard: '2' });
    stage().proxy.rule(({ isWrite, path }) =>
      isWrite && path.includes('/resourcequotas/') ? { status: 500 } : 'pass',
    );
    await refusedSync({ new_quota_preset: 'small' });
    stage().proxy.rule(() => 'pass');
    expect(await hard()).toMatchObject({ hard: '2' });
    expect(await sync({ new_quota_preset: 'small' })).toMatchObject({ enclave: { quota_preset: 'small' } });
    expect(await hard()).toMatchObject({ hard: '1' });
  });

  it('a quota above the default needs a provisioner by name, or a bearer token', async () => {
    expect(await refusedSync({ new_quota_preset: 'large' })).toMatchObject({
      code: 'permission_denied',
      message: expect.stringContaining('authz.provisioners'),
    });
    expect(await sync({ new_quota_preset: 'large' }, 'bearer')).toMatchObject({ updated: ['quota'] });
    expect(await sync({ new_quota_preset: 'large' })).toMatchObject({ updated: [] });
  });

  it('modes of the enclave and of its new tentacles change, those of old tentacles do not', async () => {
    await apply('mia', 'old');
    expect(await sync({ new_mode: 'open-read', new_default_mode: 'private' })).toMatchObject({
      updated: ['mode', 'default_mode'],
      enclave: { mode: 'rwxrwxr--', default_mode: 'rwx------' },
    });
    expect(await as('eve').ok('enclave_info', { name: enclave })).toMatchObject({ caller_role: 'others' });
    await apply('mia', 'new');
    const mode = async (name: string) => (await as('olga').ok('permissions_get', { enclave, name })).mode;
    expect([await mode('old'), await mode('new')]).toEqual(['rwxr-x---', 'rwx------']);
  });

  it('what somebody has set by other means is a conflict that names him, and is taken only when asked', async () => {
    const live = await stage().harness.cluster.enclave(enclave);
    if (!live) throw new Error('the enclave is gone');
    const annotations = { 'tentacular.io/mode': 'rwxrwxrwx' };
    await stage().harness.cluster.writer.applyFields(live, { metadata: { annotations } }, 'argocd', { force: true });
    const error = await refusedSync({ new_mode: 'private' });
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining('argocd') });
    // The choices of wf_apply are not those of this tool.
    expect(error).toMatchObject({ details: { choices: ['take'] }, hint: expect.not.stringContaining('keep"') });
    expect((await namespace())['tentacular.io/mode']).toBe('rwxrwxrwx');
    expect(await sync({ new_mode: 'private', on_conflict: 'take' })).toMatchObject({ enclave: { mode: 'rwx------' } });
  });

  it('records who changed it and when, and leaves everything else as it was', async () => {
    const before = await namespace();
    await sync({ new_channel_name: 'general' });
    await sync({ new_status: 'frozen' });
    const after = await namespace();
    expect(after).toMatchObject({
      'tentacular.io/updated-by-sub': people.olga.sub,
      'tentacular.io/updated-by-email': 'olga@example.com',
      'tentacular.io/channel-name': 'general',
      'tentacular.io/enclave-members': 'client:ci,mia@example.com',
      'tentacular.io/created-at': before['tentacular.io/created-at'],
      'tentacular.io/owner-sub': people.olga.sub,
    });
    await sync({ new_status: 'active' }, 'bearer');
    expect((await namespace())['tentacular.io/updated-by-sub']).toBe('');
  });
});
