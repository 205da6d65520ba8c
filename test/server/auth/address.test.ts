import { describe, expect, it } from 'vitest';
import { attemptKey } from '../../../server/auth/address.ts';
import { post, startHarness } from '../support/harness.ts';

describe('whose attempts are counted together', () => {
  // One host has 2^64 addresses: counted one by one they would be no limit at all.
  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:0:0:0:1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:db8:0:0:1::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ])('those of a host with IPv6, whatever its last 64 bits: %s', (address, key) => {
    expect(attemptKey(address)).toBe(key);
  });

  it('not those of two networks', () => {
    expect(attemptKey('2001:db8:1:2::1')).not.toBe(attemptKey('2001:db8:1:3::1'));
  });

  // All of IPv4 is in one network of 64 bits: one caller would use up the attempts of everybody.
  it.each([
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.2', '192.0.2.2'],
  ])('those of one address of IPv4, however it is written: %s', (address, key) => {
    expect(attemptKey(address)).toBe(key);
  });

  it('those of a host that takes another address for each', async () => {
    const harness = await startHarness({ failedAuthentications: 2 });
    let last = 0;
    harness.server.on('connection', (socket) => {
      Object.defineProperty(socket, 'remoteAddress', { get: () => `2001:db8:1:2::${++last}` });
    });
    const statuses = [];
    for (let round = 0; round < 4; round += 1) {
      statuses.push((await post(harness.endpoint, {}, { authorization: `Bearer ${'x'.repeat(40)}` })).status);
    }
    expect(statuses).toEqual([401, 401, 429, 429]);
    await harness.close();
  });
});
