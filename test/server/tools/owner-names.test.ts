import { beforeAll, describe, expect, it } from 'vitest';
import { helloWorkflow } from '../../support/workflows.ts';
import { type Person, people, useStage } from '../support/people.ts';

describe('who is named as an owner', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);
  const enclave = 'named';
  beforeAll(async () => {
    await as('olga').ok('enclave_provision', { name: enclave, members: ['mia@example.com', 'client:ci'] });
    await as('olga').ok('wf_apply', { enclave, ...helloWorkflow('hello') });
  });
  const annotations = async (name: string) => (await stage().harness.cluster.enclave(name))?.metadata.annotations ?? {};

  // Harm: the caller loses it at once, and it is nobody's for good: no token has such a subject.
  it.each([
    ['the name of a member', 'client:ci'],
    ['the name of a member in capital letters', 'CLIENT:ci'],
    ['a blank', ' '],
    ['a text with blanks', 'sub of mia'],
    ['letters that no subject has', 'süb'],
    ['more than a subject has', 'x'.repeat(256)],
  ])('is never known by %s', async (_what, owner) => {
    const before = await annotations(enclave);
    for (const [tool, args, path] of [
      ['permissions_set', { enclave, owner }, 'owner'],
      ['permissions_set', { enclave, name: 'hello', owner }, 'owner'],
      ['enclave_sync', { name: enclave, new_owner_sub: owner }, 'new_owner_sub'],
      ['enclave_provision', { name: 'named-2', owner_email: 'mia@example.com', owner_sub: owner }, 'owner_sub'],
    ] as const) {
      const error = await as(tool === 'enclave_provision' ? 'bearer' : 'olga').refused(tool, args);
      expect(error).toMatchObject({ code: 'invalid_input', details: { faults: [{ path }] } });
    }
    expect(await annotations(enclave)).toEqual(before);
    const shown = await as('olga').ok('permissions_get', { enclave, name: 'hello' });
    expect(shown).toMatchObject({ owner: { sub: people.olga.sub } });
  });

  it('by who may not say so is refused for that, whatever else he asks for and whomever he names', async () => {
    await as('mia').ok('wf_apply', { enclave, ...helloWorkflow('kept') });
    for (const owner of ['nobody@example.com', people.max.sub]) {
      const ask = { enclave, name: 'kept', mode: 'private', owner };
      expect(await as('mia').refused('permissions_set', ask)).toMatchObject({ code: 'permission_denied' });
    }
    const kept = await as('mia').ok('permissions_get', { enclave, name: 'kept' });
    expect(kept).toMatchObject({ owner: { sub: people.mia.sub }, mode: 'rwxr-x---' });
  });

  // Harm: an enclave given to an address whose letters are composed otherwise could never be claimed by anybody.
  it('by an address is the same however it is written', async () => {
    const jose = 'jos\u00e9@example.com';
    await as('bearer').ok('enclave_provision', { name: 'composed', owner_email: 'x@example.com' });
    const given = await as('bearer').ok('permissions_set', { enclave: 'composed', owner: ' Jose\u0301@Example.COM' });
    expect(given.after).toMatchObject({ owner: { email: jose } });
    const again = await as('bearer').ok('permissions_set', { enclave: 'composed', owner: jose.toUpperCase() });
    expect(again.after).toEqual(again.before);
  });

  it('by an address in any script, as members are; by what is no address in no way', async () => {
    await as('bearer').ok('enclave_provision', { name: 'any-script', owner_email: 'J\u00d6rg@example.com' });
    expect((await annotations('any-script'))['tentacular.io/owner-email']).toBe('j\u00f6rg@example.com');
    await as('bearer').ok('enclave_sync', { name: 'any-script', new_owner: 'zo\u00eb@example.com' });
    expect((await annotations('any-script'))['tentacular.io/owner-email']).toBe('zo\u00eb@example.com');
    for (const owner of ['olga', 'a@b@c', 'olga@exa mple.com', 'ol\u202ega@example.com']) {
      const made = await as('bearer').refused('enclave_provision', { name: 'no-address', owner_email: owner });
      expect(made).toMatchObject({ code: 'invalid_input', details: { faults: [{ path: 'owner_email' }] } });
      const given = await as('bearer').refused('enclave_sync', { name: 'any-script', new_owner: owner });
      expect(given).toMatchObject({ code: 'invalid_input', details: { faults: [{ path: 'new_owner' }] } });
    }
  });

  it('in Git in capital letters is who he is: he may make it again, and give his tentacles to himself', async () => {
    await as('bearer').ok('enclave_provision', { name: 'of-git', owner_email: 'mia@example.com' });
    const live = await stage().harness.cluster.enclave('of-git');
    if (!live) throw new Error('the enclave is gone');
    const written = { ...live.metadata.annotations, 'tentacular.io/owner-email': 'Mia@Example.com' };
    stage().fake.put({ ...live, metadata: { ...live.metadata, annotations: written } });
    expect(await as('mia').ok('enclave_provision', { name: 'of-git' })).toMatchObject({ name: 'of-git' });
    await as('mia').ok('wf_apply', { enclave: 'of-git', ...helloWorkflow('hello') });
    const owner = 'mia@example.com';
    await as('mia').ok('permissions_set', { enclave: 'of-git', name: 'hello', owner });
    const given = await as('bearer').ok('permissions_set', { enclave: 'of-git', name: 'hello', owner });
    expect(given.after).toMatchObject({ owner: { sub: people.mia.sub } });
  });
});
