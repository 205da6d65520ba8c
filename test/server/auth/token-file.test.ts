import { renameSync, writeFileSync } from 'node:fs';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authenticate, bearerCredential } from '../../../server/auth/authenticator.ts';
import { createTokenFileAuthenticator, readTokens } from '../../../server/auth/token-file.ts';

const first = 'first-token-'.padEnd(64, 'a');
const second = 'second-token-'.padEnd(64, 'b');

describe('static tokens from a file', () => {
  let folder: string;
  let path: string;
  let clock: number;
  let faults: string[];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tentacular-token-'));
    path = join(folder, 'token');
    clock = 0;
    faults = [];
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** As a mounted Secret changes: a new file takes the place of the old one. */
  async function replace(content: string): Promise<void> {
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
    clock += 1000;
  }

  const open = () => createTokenFileAuthenticator({ path, now: () => clock, onFault: (fault) => faults.push(fault) });

  it('a live token is accepted under its own principal name, any other is unknown', async () => {
    await writeFile(path, `${first}\n`);
    const { judge } = await open();
    expect(await judge(first)).toEqual({ kind: 'accepted', principal: { kind: 'token', name: 'bearer-token' } });
    for (const other of [second, first.slice(0, -1), `${first}x`, first.toUpperCase(), ' ', 'a']) {
      expect(await judge(other)).toEqual({ kind: 'unknown' });
    }
  });

  it('rotates without a restart: two live values for a while, then only the new one', async () => {
    await writeFile(path, first);
    const { judge } = await open();
    const accepted = async (token: string) => (await judge(token)).kind === 'accepted';
    expect([await accepted(first), await accepted(second)]).toEqual([true, false]);
    await replace(`${first}\n${second}\n`);
    expect([await accepted(first), await accepted(second)]).toEqual([true, true]);
    await replace(second);
    expect([await accepted(first), await accepted(second)]).toEqual([false, true]);
    expect(faults).toEqual([]);
  });

  it('content that cannot be used closes the door until it is mended, and no fault holds a token', async () => {
    await writeFile(path, first);
    const { judge } = await open();
    for (const content of ['', 'too-short', `${first}\n${second}\n${first}`]) {
      await replace(content);
      expect(await judge(first)).toEqual({ kind: 'unknown' });
    }
    expect(faults).toHaveLength(3);
    expect(faults.join()).not.toContain('first-token');
    await replace(first);
    expect((await judge(first)).kind).toBe('accepted');
  });

  // The withdrawn token would be valid, and the new one unknown, until the next rotation.
  it('a rotation while the server starts is not missed', async () => {
    for (let turns = 0; turns < 60; turns += 1) {
      await writeFile(path, first);
      writeFileSync(`${path}.new`, second);
      const opening = open();
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
      if (turns % 2 === 1) await new Promise(setImmediate);
      renameSync(`${path}.new`, path);
      const { judge } = await opening;
      clock += 1000;
      expect([await judge(first), await judge(second)]).toMatchObject([{ kind: 'unknown' }, { kind: 'accepted' }]);
    }
  });

  it('a file that cannot be read leaves what was read before', async () => {
    await writeFile(path, first);
    const { judge } = await open();
    await rm(path);
    clock += 1000;
    expect((await judge(first)).kind).toBe('accepted');
    expect(faults).toEqual([expect.stringContaining('ENOENT')]);
  });

  it('the file is looked at once in the interval, however many ask', async () => {
    await writeFile(path, first);
    const { judge } = await open();
    await replace(second);
    clock -= 1000;
    expect((await judge(second)).kind).toBe('unknown');
    clock += 1000;
    const verdicts = await Promise.all(Array.from({ length: 50 }, () => judge(second)));
    expect(new Set(verdicts.map(({ kind }) => kind))).toEqual(new Set(['accepted']));
  });

  it.each([
    ['no token', '\n\n'],
    ['a token of 31 characters', 'x'.repeat(31)],
    ['three tokens', [first, second, first].join('\n')],
    ['white space inside', `${first} ${second}`],
    ['a letter that no header carries as it is', `${first}\u00e9`],
    ['what was pasted along and is not seen', `${first}\u200b`],
    ['a control character', `${first}\u0007x`],
    ['one that is longer than any that is looked at', 'x'.repeat(16_385)],
  ])('does not start with %s', async (_what, content) => {
    expect(readTokens(content)).toHaveProperty('fault');
    await writeFile(path, content);
    await expect(open()).rejects.toThrow(/token file holds/);
  });
});

describe('the Authorization header', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer   abc ', 'abc'],
    ['Basic abc', undefined],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    [undefined, undefined],
  ])('%s holds the credential %s', (header, credential) => {
    expect(bearerCredential(header)).toBe(credential);
  });

  it('a credential that is too long is refused before anybody looks at it', async () => {
    const asked: string[] = [];
    const authenticator = {
      name: 'spy',
      judge: async (credential: string) => {
        asked.push(credential);
        return { kind: 'unknown' } as const;
      },
    };
    expect((await authenticate([authenticator], 'x'.repeat(20_000))).kind).toBe('refused');
    expect(asked).toEqual([]);
    expect((await authenticate([authenticator], 'x')).kind).toBe('refused');
    expect(asked).toEqual(['x']);
  });
});
