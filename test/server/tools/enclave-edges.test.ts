import { beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../constructs/model/json.ts';
import { type Person, people, useStage } from '../support/people.ts';

let counter = 0;

describe('an enclave at its edges', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);
  let enclave: string;
  beforeEach(() => {
    enclave = `edge-${++counter}`;
  });
  const live = async () => {
    const found = await stage().harness.cluster.enclave(enclave);
    if (!found) throw new Error('the enclave is gone');
    return found;
  };
  const provision = (who: Person | 'bearer', more: JsonObject = {}) =>
    as(who).ok('enclave_provision', { name: enclave, ...more });

  // A Namespace out of Git names its owner by address and name; pinning another name over it would be a conflict at
  // each call, and so shut the owner out for good.
  it('whose owner is written in Git is claimed all the same: what it calls him stays', async () => {
    await provision('bearer', { owner_email: 'mia@example.com' });
    const annotations = { 'tentacular.io/owner-name': 'Mia M.', 'tentacular.io/owner-email': 'mia@example.com' };
    await stage().harness.cluster.writer.applyFields(await live(), { metadata: { annotations } }, 'argocd', {
      force: true,
    });
    expect(await as('mia').ok('enclave_info', { name: enclave })).toMatchObject({
      caller_role: 'owner',
      owner: { sub: people.mia.sub, name: 'Mia M.' },
    });
  });

  // The owner would raise it again with a call that was on its way while it was lowered.
  it('a quota above the default that was taken away meanwhile is not given back', async () => {
    await provision('olga');
    await as('bearer').ok('enclave_sync', { name: enclave, new_quota_preset: 'large' });
    const before = await live();
    const annotations = { ...before.metadata.annotations, 'tentacular.io/quota-preset': 'small' };
    let lowered = false;
    stage().proxy.rule(({ isWrite, path }) => {
      if (isWrite && path.includes(`/namespaces/${enclave}?`) && !lowered) {
        lowered = true;
        stage().fake.put({ ...before, metadata: { ...before.metadata, annotations } });
      }
      return 'pass';
    });
    const change = { name: enclave, new_quota_preset: 'large', new_channel_name: 'general' };
    const error = await as('olga').refused('enclave_sync', change);
    stage().proxy.rule(() => 'pass');
    expect(lowered).toBe(true);
    expect(error.code).toBe('permission_denied');
    expect((await live()).metadata.annotations?.['tentacular.io/quota-preset']).toBe('small');
  });

  // Harm: its owner would give himself the default quota again by making it once more.
  it('that is made again keeps the quota that it has', async () => {
    await provision('mia');
    await as('bearer').ok('enclave_sync', { name: enclave, new_quota_preset: 'small' });
    await provision('mia', { quota_preset: 'medium' });
    const { quota, quota_preset } = await as('mia').ok('enclave_info', { name: enclave });
    expect({ quota, quota_preset }).toMatchObject({ quota_preset: 'small', quota: { cpu: { hard: '1' } } });
  });

  it('holds an object of somebody else under a name of ours: it stays as it is, and the call says so', async () => {
    await provision('mia');
    const ref = { apiVersion: 'v1', kind: 'ResourceQuota', namespace: enclave, name: 'enclave' };
    const { reader } = stage().harness.cluster;
    const ours = await reader.get(ref);
    if (!ours) throw new Error('there is no quota');
    stage().fake.put({ ...ours, metadata: { name: 'enclave', namespace: enclave, labels: { of: 'somebody' } } });
    const theirs = await reader.get(ref);
    const change = { name: enclave, new_quota_preset: 'small' };
    expect(await as('mia').refused('enclave_sync', change)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is not ours'),
    });
    expect(await reader.get(ref)).toEqual(theirs);
  });

  // Of two calls one has the annotation, the other what the cluster enforces, and nothing ever brings them together.
  it('whose quota two calls change at once enforces the one that it says it has', async () => {
    await provision('olga');
    const before = await live();
    const annotations = { ...before.metadata.annotations, 'tentacular.io/quota-preset': 'medium' };
    let overtaken = false;
    stage().proxy.rule(({ isWrite, path }) => {
      if (isWrite && path.includes(`/namespaces/${enclave}/resourcequotas/`) && !overtaken) {
        overtaken = true;
        stage().fake.put({ ...before, metadata: { ...before.metadata, annotations } });
      }
      return 'pass';
    });
    await as('olga').ok('enclave_sync', { name: enclave, new_quota_preset: 'small' });
    stage().proxy.rule(() => 'pass');
    expect(overtaken).toBe(true);
    const { quota, quota_preset } = await as('olga').ok('enclave_info', { name: enclave });
    expect({ quota, quota_preset }).toMatchObject({ quota_preset: 'medium', quota: { cpu: { hard: '2' } } });
  });

  it.each([
    ['mode', { mode: '777' }],
    ['owner', { owner: 'not an@address' }],
    ['owner', { owner: 'sub\u0000x' }],
  ])('a fault in what permissions_set was given names its own field %s', async (path, input) => {
    await provision('olga');
    const error = await as('olga').refused('permissions_set', { enclave, ...input });
    expect(error).toMatchObject({ code: 'invalid_input', details: { faults: [{ path }] } });
    expect(JSON.stringify(error)).not.toMatch(/enclave_sync|new_/);
  });

  it.each([
    ['channel_name', 'a\u202eb'],
    ['channel_id', 'a\u0000b'],
    ['platform', 'sl\u200back'],
    ['owner_sub', 'sub\nx'],
  ])('%s with hidden characters is invalid_input at the creation too', async (path, text) => {
    const error = await as('bearer').refused('enclave_provision', {
      name: enclave,
      owner_email: 'mia@example.com',
      [path]: text,
    });
    expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(path) });
  });

  // Made, filled with oneself as a member, given to an address that nobody has: any number of enclaves for everybody.
  it('that was handed over counts for who made it until somebody takes it up', async () => {
    const name = (n: number) => `${enclave}-${n}`;
    const make = (n: number) => as('eve').call('enclave_provision', { name: name(n), members: ['eve@example.com'] });
    const handOver = (n: number, to: JsonObject) => as('eve').ok('enclave_sync', { name: name(n), ...to });
    for (let n = 1; n <= 5; n += 1) expect((await make(n)).error).toBeUndefined();
    await as('eve').ok('permissions_set', { enclave: name(1), owner: 'nobody@nowhere.example' });
    await handOver(2, { new_owner_sub: 'nobody' });
    await handOver(3, { new_owner: 'max@example.com' });
    expect((await make(6)).error).toMatchObject({
      code: 'quota_exceeded',
      hint: expect.stringContaining('takes it up'),
    });
    await as('max').ok('enclave_info', { name: name(3) });
    expect((await make(6)).error).toBeUndefined();
    expect((await make(7)).error).toMatchObject({ code: 'quota_exceeded' });
  });
});
