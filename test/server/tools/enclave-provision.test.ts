import { describe, expect, it } from 'vitest';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';

const named = { email: 'max@example.com' };

describe('enclave_provision by callers with an identity', () => {
  const stage = useStage({ policy: { enabled: true, provisioners: ['@example.com', named.email, 'client:ci'] } });
  const as = (who: Person | 'bearer') => stage().as(who);
  const annotations = async (name: string) => (await stage().harness.cluster.enclave(name))?.metadata.annotations ?? {};

  it('the caller is the owner where he names none, and where he names himself', async () => {
    for (const [name, more] of [
      ['own-1', {}],
      ['own-2', { owner_email: 'MIA@example.com' }],
      ['own-3', { owner_sub: people.mia.sub }],
    ] as const) {
      const made = await as('mia').ok('enclave_provision', { name, ...more });
      expect(made.owner).toEqual({ sub: people.mia.sub, email: 'mia@example.com', name: 'mia the tester' });
      expect(await as('mia').ok('enclave_info', { name })).toMatchObject({ caller_role: 'owner' });
    }
    expect(await annotations('own-1')).toMatchObject({
      'tentacular.io/updated-by-sub': people.mia.sub,
      'tentacular.io/updated-by-email': 'mia@example.com',
    });
    expect(await as('mia').ok('enclave_provision', { name: 'own-1' })).toMatchObject({ resources_created: [] });
  });

  it('a service account owns what it makes by its subject, and is no person', async () => {
    const made = await as('ci').ok('enclave_provision', { name: 'robots' });
    expect(made.owner).toEqual({ sub: people.ci.sub, name: 'client:ci' });
    expect(await as('ci').ok('wf_apply', { enclave: 'robots', ...helloWorkflow('hello') })).toBeDefined();
  });

  it.each([
    ['an address of somebody else', { owner_email: 'eve@example.com' }],
    ['a subject of somebody else', { owner_sub: 'sub-of-eve' }],
    ['his subject with the address of somebody else', { owner_sub: 'sub-of-mia', owner_email: 'eve@example.com' }],
    ['his address with the subject of somebody else', { owner_sub: 'sub-of-eve', owner_email: 'mia@example.com' }],
  ])('%s as owner needs a provisioner by name', async (_what, owner) => {
    const error = await as('mia').refused('enclave_provision', { name: 'for-eve', ...owner });
    expect(error).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('authz.provisioners') });
    expect(await annotations('for-eve')).toEqual({});
  });

  it('a provisioner by name makes enclaves for others, larger ones, and as many as he likes', async () => {
    const made = await as('max').ok('enclave_provision', {
      name: 'for-eve',
      owner_email: 'eve@example.com',
      quota_preset: 'large',
    });
    expect(made).toMatchObject({ owner: { email: 'eve@example.com' }, quota_preset: 'large' });
    for (let n = 1; n <= 7; n++) await as('max').ok('enclave_provision', { name: `many-${n}` });
  });

  it('and makes it again to repair it, but learns nothing of what became of it since', async () => {
    const ask = { name: 'of-eve', owner_email: 'eve@example.com', members: ['mia@example.com'] };
    await as('max').ok('enclave_provision', ask);
    const change = { add_members: ['secret@example.com'], new_channel_name: 'secret', new_status: 'frozen' };
    await as('eve').ok('enclave_sync', { name: 'of-eve', ...change });
    const again = await as('max').ok('enclave_provision', ask);
    expect(again).toMatchObject({ owner: { email: 'eve@example.com' }, members: ['mia@example.com'] });
    expect(again.resources_created).toEqual([]);
    expect(JSON.stringify(again)).not.toMatch(/secret|frozen|sub-of-eve/);
    expect(await as('max').refused('enclave_info', { name: 'of-eve' })).toMatchObject({ code: 'not_found' });
  });

  it('a quota above the default is refused to everybody else, before anything is made', async () => {
    const error = await as('mia').refused('enclave_provision', { name: 'large-one', quota_preset: 'large' });
    expect(error.code).toBe('permission_denied');
    expect(await annotations('large-one')).toEqual({});
    await as('mia').ok('enclave_provision', { name: 'own-4', quota_preset: 'small' });
  });

  it('who has no verified identity makes none, and is told why', async () => {
    const error = await as('ursula').refused('enclave_provision', { name: 'ursulas' });
    expect(error).toMatchObject({ code: 'permission_denied', message: expect.stringContaining('not verified') });
  });

  it('a bearer token must name an owner: it has none itself', async () => {
    const error = await as('bearer').refused('enclave_provision', { name: 'nobodys' });
    expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('owner_email') });
    for (let n = 1; n <= 6; n++)
      await as('bearer').ok('enclave_provision', { name: `b-${n}`, owner_email: 'boss@corp.example' });
  });

  it('five enclaves are the most; one that goes makes room, a repeated call needs none', async () => {
    await as('mia').ok('enclave_provision', { name: 'own-5' });
    const error = await as('mia').refused('enclave_provision', { name: 'own-6' });
    expect(error).toMatchObject({ code: 'quota_exceeded' });
    expect(error.details).toEqual({ enclaves: ['own-1', 'own-2', 'own-3', 'own-4', 'own-5'] });
    await as('mia').ok('enclave_provision', { name: 'own-5' });
    await as('mia').ok('enclave_deprovision', { name: 'own-1', confirm: true });
    await as('mia').ok('enclave_provision', { name: 'own-6' });
  });

  it('what is going, and what is no enclave, is none of the five', async () => {
    const { fake } = stage();
    const annotations = { 'tentacular.io/owner-sub': people.eve.sub };
    const labels = { 'app.kubernetes.io/managed-by': 'tentacular' };
    for (let n = 1; n <= 5; n++) {
      const [going, other] = [`going-${n}`, `other-${n}`];
      const deletionTimestamp = '2026-07-28T12:00:00Z';
      const metadata = { name: going, annotations, labels: { ...labels, 'tentacular.io/enclave': going } };
      fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { ...metadata, deletionTimestamp } });
      const foreign = { name: other, annotations, labels: { ...labels, 'tentacular.io/enclave': going } };
      fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: foreign });
    }
    expect(await as('eve').ok('enclave_provision', { name: 'eves-own' })).toMatchObject({ name: 'eves-own' });
    await as('eve').ok('enclave_sync', { name: 'eves-own', new_status: 'frozen' });
    const named = async (status: string) => {
      const { enclaves } = await as('eve').ok('enclave_list', { status });
      return (enclaves as { name: string }[]).map(({ name }) => name).filter((name) => name.startsWith('eves-'));
    };
    expect([await named('active'), await named('frozen'), await named('all')]).toEqual([
      [],
      ['eves-own'],
      ['eves-own'],
    ]);
    const error = await as('eve').refused('enclave_deprovision', { name: 'eves-own' });
    expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('confirm') });
    expect(await named('all')).toEqual(['eves-own']);
  });

  // Ten calls at once each see room for one; without a second look all of them would stay.
  it('nor do calls at the same moment get more', async () => {
    const calls = Array.from({ length: 10 }, (_, n) => as('olga').call('enclave_provision', { name: `race-${n}` }));
    const outcomes = await Promise.all(calls);
    for (const { error } of outcomes) if (error) expect(error.code).toBe('quota_exceeded');
    const { total } = await as('olga').ok('enclave_list', {});
    expect(Number(total)).toBeLessThanOrEqual(5);
    expect(Number(total)).toBe(outcomes.filter(({ result }) => result).length);
  });

  it('a name that is taken is a conflict, and tells nothing of whose it is', async () => {
    const error = await as('eve').refused('enclave_provision', { name: 'own-2' });
    expect(error.code).toBe('conflict');
    expect(JSON.stringify(error)).not.toMatch(/mia/);
    const { fake } = stage();
    const going = { 'app.kubernetes.io/managed-by': 'tentacular', 'tentacular.io/enclave': 'gone-1' };
    const deletionTimestamp = '2026-07-28T12:00:00Z';
    fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone-1', labels: going, deletionTimestamp } });
    fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other1' } });
    for (const name of ['gone-1', 'other1']) {
      const other = await as('eve').refused('enclave_provision', { name });
      expect(JSON.stringify(other).replace(name, 'own-2')).toBe(JSON.stringify(error));
    }
  });

  // Two enclaves that nobody owns would otherwise count as having the same owner.
  it('an enclave that nobody owns is not taken for that of a service account without address', async () => {
    const { fake } = stage();
    const labels = { 'app.kubernetes.io/managed-by': 'tentacular', 'tentacular.io/enclave': 'nobodys' };
    fake.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'nobodys', labels } });
    expect(await as('ci').refused('enclave_provision', { name: 'nobodys' })).toMatchObject({ code: 'conflict' });
  });
});

describe('an enclave that has only the address of an owner', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);

  it('is claimed by the first verified login with it, for good', async () => {
    await as('bearer').ok('enclave_provision', { name: 'waiting', owner_email: 'Mia@example.com' });
    for (const who of ['ursula', 'ci', 'eve'] as const) {
      expect(await as(who).refused('enclave_info', { name: 'waiting' })).toMatchObject({ code: 'not_found' });
    }
    const listed = await as('mia').ok('enclave_list', {});
    expect(listed).toMatchObject({ enclaves: [{ name: 'waiting', owner: { email: 'mia@example.com' } }] });
    expect(await as('mia').ok('enclave_info', { name: 'waiting' })).toMatchObject({
      caller_role: 'owner',
      owner: { sub: people.mia.sub, email: 'mia@example.com', name: 'mia the tester' },
    });
    const writes = () => stage().proxy.seen.filter(({ isWrite }) => isWrite).length;
    const before = writes();
    await as('mia').ok('enclave_info', { name: 'waiting' });
    expect(writes()).toBe(before);
  });

  it('of two logins at the same moment one has it, and both see the same owner', async () => {
    await as('bearer').ok('enclave_provision', { name: 'raced', owner_email: 'mia@example.com' });
    await Promise.all(Array.from({ length: 5 }, () => as('mia').ok('enclave_info', { name: 'raced' })));
    expect((await as('mia').ok('enclave_info', { name: 'raced' })).owner).toMatchObject({ sub: people.mia.sub });
  });

  // Harm: of two people with one address (it was given to another, or comes from two issuers) the second takes it away.
  it('stays with who was faster, also where another subject with the same address was about to claim it', async () => {
    await as('bearer').ok('enclave_provision', { name: 'faster', owner_email: 'mia@example.com' });
    const live = await stage().harness.cluster.enclave('faster');
    if (!live) throw new Error('the enclave is gone');
    const annotations = { ...live.metadata.annotations, 'tentacular.io/owner-sub': 'another-mia' };
    let claimed = false;
    stage().proxy.rule(({ isWrite, path }) => {
      if (isWrite && path.includes('/namespaces/faster?') && !claimed) {
        claimed = true;
        stage().fake.put({ ...live, metadata: { ...live.metadata, annotations } });
      }
      return 'pass';
    });
    expect(await as('mia').refused('enclave_info', { name: 'faster' })).toMatchObject({ code: 'not_found' });
    stage().proxy.rule(() => 'pass');
    expect(claimed).toBe(true);
    expect((await stage().harness.cluster.enclave('faster'))?.metadata.annotations).toEqual(annotations);
  });
});

describe('with TENTACULAR_AUTHZ_ENABLED=false', () => {
  const stage = useStage({ policy: { enabled: false, provisioners: [] } });
  const as = (who: Person | 'bearer') => stage().as(who);

  it('everybody may do everything, but who does it is still recorded', async () => {
    await as('olga').ok('enclave_provision', { name: 'open', mode: 'private' });
    await as('eve').ok('wf_apply', { enclave: 'open', ...helloWorkflow('hello'), mode: 'private' });
    await as('ursula').ok('wf_status', { enclave: 'open', name: 'hello' });
    expect(stage().harness.audit.at(-1)).toMatchObject({
      principal: people.ursula.name,
      decision: 'allowed',
      reason: expect.stringContaining('TENTACULAR_AUTHZ_ENABLED=false'),
    });
    const { owner } = await as('olga').ok('permissions_get', { enclave: 'open', name: 'hello' });
    expect(owner).toMatchObject({ sub: people.eve.sub });
  });

  it('nobody claims an enclave by looking at it: whose it is, is judged again when it is turned on', async () => {
    await as('bearer').ok('enclave_provision', { name: 'unclaimed', owner_email: 'mia@example.com' });
    const { owner } = await as('mia').ok('enclave_info', { name: 'unclaimed' });
    expect(owner).toEqual({ email: 'mia@example.com' });
  });
});
