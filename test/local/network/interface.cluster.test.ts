import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, inject, test } from 'vitest';
import { interfaceNames, removeInterface } from '../../../local/network/topology.ts';

const run = promisify(execFile);
const id = randomBytes(3).toString('hex');

/** Needs a machine whose network may be changed, as the embedded cluster does. */
describe.skipIf(inject('outside') === undefined)('removing a network interface', () => {
  test('is no error while the kernel takes it away with the namespace of its other end', async () => {
    const [netns, name] = [`tntc-link-${id}`, `tntc${id}`];
    for (let round = 0; round < 20; round++) {
      await run('ip', ['netns', 'add', netns]);
      await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns]);
      await run('ip', ['netns', 'delete', netns]);
      await removeInterface(name);
      expect(await interfaceNames()).not.toContain(name);
    }
  });

  test('fails where the interface is there and stays', async () => {
    await expect(removeInterface('lo')).rejects.toThrow('ip link delete lo');
    expect(await interfaceNames()).toContain('lo');
  });
});
