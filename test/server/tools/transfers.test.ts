import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { ownerIdentity } from '../../../server/tools/provenance.ts';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, person, useStage } from '../support/people.ts';

let counter = 0;

/** Who is put out of an enclave keeps no tentacle in it, under whatever name it knows him; nobody else loses one. */
describe('the tentacles of a member who is removed', () => {
  const stage = useStage();
  let enclave: string;
  beforeEach(async () => {
    enclave = `transfers-${++counter}`;
    await as('bearer').ok('enclave_provision', {
      name: enclave,
      owner_email: 'olga@example.com',
      owner_sub: people.olga.sub,
      members: ['mia@example.com', 'max@example.com', 'client:ci'],
      mode: 'member-edit',
    });
  });

  const as = (who: Person | 'bearer') => stage().as(who);
  const apply = (who: Person | 'bearer', name: string, more: JsonObject = {}) =>
    as(who).ok('wf_apply', { enclave, ...helloWorkflow(name, more) });
  const sync = (args: JsonObject, who: Person | 'bearer' = 'olga') =>
    as(who).ok('enclave_sync', { name: enclave, ...args });
  const give = async (name: string, owner: string) =>
    (await as('olga').ok('permissions_set', { enclave, name, owner })).after as JsonObject;
  const ownerOf = async (name: string, who: Person = 'olga') =>
    (await as(who).ok('permissions_get', { enclave, name })).owner;
  const olga = { sub: people.olga.sub, email: 'olga@example.com' };

  /** As annotations come to be by other means, or at another time. */
  async function annotate(name: string, annotations: Record<string, string>): Promise<void> {
    const live = await stage().harness.cluster.deployment(enclave, name);
    if (!live) throw new Error(`there is no ${name}`);
    const prefixed = Object.entries(annotations).map(([key, value]) => [`tentacular.io/${key}`, value]);
    const metadata = {
      ...live.metadata,
      annotations: { ...live.metadata.annotations, ...Object.fromEntries(prefixed) },
    };
    stage().fake.put(JSON.parse(JSON.stringify({ ...live, metadata })) as JsonObject);
  }
  const ownedBySubjectAlone = (name: string, sub: string) =>
    annotate(name, { 'owner-sub': sub, 'owner-email': '', 'owner-name': '' });

  // Harm: whatever keeps the owner in Git keeps him in the enclave.
  it('go also where somebody else keeps who owns them', async () => {
    await apply('mia', 'kept');
    const live = await stage().harness.cluster.deployment(enclave, 'kept');
    if (!live) throw new Error('it is gone');
    const annotations = { 'tentacular.io/owner-sub': people.mia.sub };
    await stage().harness.cluster.writer.applyFields(live, { metadata: { annotations } }, 'argocd', { force: true });
    const { transfers } = await sync({ remove_members: ['mia@example.com'] });
    expect(transfers).toEqual([{ name: 'kept', from: 'mia@example.com' }]);
    expect(await ownerOf('kept')).toMatchObject(olga);
  });

  it('go where he was made their owner by his subject, and what else he owns tells his address', async () => {
    await apply('mia', 'made-by-mia');
    await apply('olga', 'given');
    expect((await give('given', people.mia.sub)).owner).toEqual({
      sub: people.mia.sub,
      email: 'mia@example.com',
      name: 'mia the tester',
    });
    const { transfers } = await sync({ remove_members: ['mia@example.com'] });
    expect(transfers).toContainEqual({ name: 'given', from: 'mia@example.com' });
    expect(await ownerOf('given')).toMatchObject(olga);
  });

  it('go where only a change that he made tells his address', async () => {
    await apply('olga', 'given', { deployment: { mode: 'member-edit' } });
    await apply('mia', 'given', { description: 'by mia', deployment: { mode: 'member-edit' } });
    expect((await give('given', people.mia.sub)).owner).toEqual({ sub: people.mia.sub, email: 'mia@example.com' });
    await ownedBySubjectAlone('given', people.mia.sub);
    const { transfers } = await sync({ members: ['max@example.com'] });
    expect(transfers).toEqual([{ name: 'given', from: 'mia@example.com' }]);
    expect(await ownerOf('given')).toMatchObject(olga);
  });

  it('are those of a program too, whose subject alone was named', async () => {
    await apply('ci', 'made-by-ci');
    await apply('olga', 'a-named-else');
    await annotate('a-named-else', { 'owner-sub': people.ci.sub, 'owner-email': '', 'owner-name': 'the robot' });
    await apply('olga', 'given');
    expect((await give('given', people.ci.sub)).owner).toEqual({ sub: people.ci.sub, name: 'client:ci' });
    await ownedBySubjectAlone('given', people.ci.sub);
    const { transfers } = await sync({ remove_members: ['client:ci'] });
    expect(transfers).toContainEqual({ name: 'given', from: 'client:ci' });
  });

  it('go where his address was another one when he made them', async () => {
    await apply('mia', 'old');
    await annotate('old', { 'owner-email': 'mia.maiden@example.com', 'updated-by-email': 'mia.maiden@example.com' });
    await apply('mia', 'new');
    const { transfers } = await sync({ remove_members: ['MIA@example.com'] });
    expect(transfers).toContainEqual({ name: 'old', from: 'mia@example.com' });
    expect(await ownerOf('old')).toMatchObject(olga);
    expect(await ownerOf('new')).toMatchObject(olga);
  });

  // What tells whose the last one is must not be the first that is given away.
  it('all go by the same call again, where the first was cut off', async () => {
    await apply('mia', 'a-witness');
    await apply('max', 'z-given');
    await ownedBySubjectAlone('z-given', people.mia.sub);
    stage().proxy.rule(({ isWrite, path }) =>
      isWrite && path.includes('/deployments/z-given') ? { status: 500 } : 'pass',
    );
    await as('olga').refused('enclave_sync', { name: enclave, remove_members: ['mia@example.com'] });
    stage().proxy.rule(() => 'pass');
    await apply('bearer', 'a-witness', { description: 'by nobody' });
    expect((await sync({ remove_members: ['mia@example.com'] })).transfers).toHaveLength(2);
    expect(await ownerOf('z-given')).toMatchObject(olga);
  });

  it('stay where he is a member by another address of his', async () => {
    await apply('mia', 'old');
    await annotate('old', { 'owner-email': 'mia.maiden@example.com', 'updated-by-email': 'mia.maiden@example.com' });
    await apply('mia', 'new');
    await sync({ add_members: ['mia.maiden@example.com'] });
    expect((await sync({ remove_members: ['mia.maiden@example.com'] })).transfers).toEqual([]);
    expect(await ownerOf('old')).toMatchObject({ sub: people.mia.sub });
  });

  it('are none of the owner’s, nor of other members, whatever stands beside their subjects', async () => {
    await apply('olga', 'of-olga');
    await apply('max', 'of-max');
    await apply('mia', 'of-mia');
    await annotate('of-mia', { 'updated-by-sub': people.olga.sub, 'updated-by-email': 'mia@example.com' });
    await annotate('of-olga', { 'updated-by-sub': people.max.sub, 'updated-by-email': 'mia@example.com' });
    const { transfers } = await sync({ remove_members: ['mia@example.com'] });
    expect(transfers).toEqual([{ name: 'of-mia', from: 'mia@example.com' }]);
    expect(await ownerOf('of-max')).toMatchObject({ sub: people.max.sub });
    expect(await ownerOf('of-olga')).toMatchObject(olga);
  });

  it('are none of an owner who is known by his subject alone', async () => {
    await apply('max', 'of-max');
    await sync({ new_owner_sub: people.max.sub }, 'bearer');
    expect((await sync({ remove_members: ['max@example.com'] }, 'bearer')).transfers).toEqual([]);
    expect(await ownerOf('of-max', 'max')).toMatchObject({ sub: people.max.sub, email: 'max@example.com' });
  });

  it('are recorded under an address by which he is a member, where several are known', async () => {
    await apply('mia', 'a-old');
    await annotate('a-old', { 'owner-email': 'mia.maiden@example.com', 'updated-by-email': 'mia.maiden@example.com' });
    await apply('mia', 'b-new');
    await apply('olga', 'given');
    expect((await give('given', people.mia.sub)).owner).toMatchObject({ email: 'mia@example.com' });
  });

  it('are none of somebody of whom nothing is known but his subject', async () => {
    await apply('olga', 'given');
    expect((await give('given', 'sub-of-nobody-here')).owner).toEqual({ sub: 'sub-of-nobody-here' });
    expect((await sync({ members: [] })).transfers).toEqual([]);
  });

  it.each([
    ['an address with a line break', { 'updated-by-email': 'mia@example.com\nx' }],
    ['no address', { 'updated-by-email': 'mia' }],
    ['an address of endless length', { 'updated-by-email': `${'m'.repeat(2000)}@example.com` }],
    ['a subject of endless length', { 'updated-by-sub': 's'.repeat(2000), 'updated-by-email': 'mia@example.com' }],
  ])('are told by no annotation with %s', async (_what, forged) => {
    const { 'updated-by-sub': sub = 'sub-x' } = forged as Record<string, string>;
    await apply('olga', 'witness');
    await apply('olga', 'given');
    await annotate('witness', { 'updated-by-sub': sub, ...forged });
    await ownedBySubjectAlone('given', sub);
    const { transfers } = await sync({ members: [] });
    expect(transfers).toEqual([]);
  });

  it('are told as far as a reply takes them, however many they are', async () => {
    await apply('mia', 'first');
    const first = await stage().harness.cluster.deployment(enclave, 'first');
    if (!first) throw new Error('it is gone');
    const client = `client:${'c'.repeat(128)}`;
    for (let n = 0; n < 150; n++) {
      const { resourceVersion: _version, uid: _uid, managedFields: _fields, ...metadata } = first.metadata;
      const name = `${'one-of-many-'.repeat(3)}${n}`;
      const labels = { ...metadata.labels, 'tentacular.io/tentacle': name };
      const annotations = { 'tentacular.io/owner-sub': `sub-${n}`, 'tentacular.io/owner-name': client };
      stage().fake.put({ ...first, metadata: { ...metadata, name, labels, annotations } } as JsonObject);
    }
    const { transfers } = await sync({ remove_members: [client, 'mia@example.com'] });
    expect(JSON.stringify(transfers).length).toBeLessThan(21_000);
    expect((transfers as JsonObject[]).length).toBeGreaterThan(50);
    expect(await ownerOf(`${'one-of-many-'.repeat(3)}149`)).toMatchObject(olga);
  });

  it('are those of no person who calls himself like a program', async () => {
    const named = person('carl', { displayName: ' client: CLIENT:\u200bci', emailUnverified: true });
    const { email: _email, ...carl } = named;
    expect(ownerIdentity(carl)).toEqual({ sub: carl.sub, name: 'ci' });
  });

  it('are the owner’s also while he is but an address, and theirs who are members by their mode', async () => {
    await apply('mia', 'of-mia');
    await sync({ new_owner: 'max@example.com' }, 'bearer');
    await sync({ remove_members: ['mia@example.com'] }, 'bearer');
    const ask = { enclave, name: 'of-mia' };
    expect(await as('ci').ok('wf_status', ask)).toBeDefined();
    expect(await as('ci').refused('wf_remove', ask)).toMatchObject({ code: 'permission_denied' });
    expect(await as('max').ok('permissions_get', ask)).toMatchObject({
      owner: { email: 'max@example.com' },
      caller: { role: 'enclave-owner' },
    });
    expect(await as('ci').ok('wf_status', ask)).toBeDefined();
    expect(await as('mia').refused('wf_status', ask)).toMatchObject({ code: 'not_found' });
  });
});
