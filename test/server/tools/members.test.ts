import { describe, expect, it } from 'vitest';
import { type Person, useStage } from '../support/people.ts';

/** As many members as an enclave may have, under addresses of so many characters each. */
const members = (count: number, length: number) =>
  Array.from({ length: count }, (_, n) => `${`m${n}`.padEnd(length - 12, 'x')}@example.com`);
const tooLong = Array.from({ length: 500 }, (_, n) => `m${n}@${'long.'.repeat(20)}example.com`);

describe('the members of an enclave', () => {
  const stage = useStage();
  const as = (who: Person | 'bearer') => stage().as(who);

  // Harm: one open enclave with long addresses, which anybody may make, and enclave_list fails for everybody.
  it('are never so many characters that a reply which tells of them is too long', async () => {
    const refused = { code: 'invalid_input', message: expect.stringContaining('too long together') };
    expect(await as('eve').refused('enclave_provision', { name: 'flood', members: tooLong })).toMatchObject(refused);
    await as('eve').ok('enclave_provision', { name: 'flood', mode: 'open-read', members: members(500, 36) });
    const sync = { name: 'flood', members: tooLong };
    expect(await as('eve').refused('enclave_sync', sync)).toMatchObject(refused);
    expect(await as('eve').refused('enclave_sync', { name: 'flood', add_members: tooLong.slice(0, 20) })).toMatchObject(
      { code: 'invalid_input', message: expect.stringContaining('too many') },
    );
    const { enclaves } = await as('mia').ok('enclave_list', {});
    expect(enclaves).toMatchObject([{ name: 'flood', members: members(500, 36).sort() }]);
  });

  it('that were written by other means are shown in part and counted in whole, and can be made fewer', async () => {
    await as('olga').ok('enclave_provision', { name: 'by-hand', mode: 'open-read' });
    const live = await stage().harness.cluster.enclave('by-hand');
    if (!live) throw new Error('the enclave is gone');
    const list = [...tooLong, ...tooLong.map((name) => `x${name}`)];
    const annotations = { ...live.metadata.annotations, 'tentacular.io/enclave-members': list.join(',') };
    stage().fake.put({ ...live, metadata: { ...live.metadata, annotations } });
    const info = await as('olga').ok('enclave_info', { name: 'by-hand' });
    expect(info.member_count).toBe(1000);
    expect((info.members as string[]).length + Number(info.more_members)).toBe(1000);
    expect((await as('mia').ok('enclave_list', {})).enclaves).toContainEqual(
      expect.objectContaining({ name: 'by-hand', more_members: info.more_members }),
    );
    const fewer = await as('olga').ok('enclave_sync', { name: 'by-hand', remove_members: tooLong });
    expect(fewer).toMatchObject({ updated: ['members'], enclave: { more_members: expect.any(Number) } });
    const error = await as('olga').refused('enclave_sync', { name: 'by-hand', add_members: ['mia@example.com'] });
    expect(error.code).toBe('invalid_input');
  });
});
