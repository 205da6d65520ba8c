import { BlockList } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../constructs/model/bytes.ts';
import { parseDuration } from '../../../constructs/model/duration.ts';
import { contains, formatAddress, formatCidr, parseCidr, parseIp } from '../../../constructs/model/ip.ts';
import { canonicalCpu, canonicalMemory, parseCpu, parseMemory } from '../../../constructs/model/quantity.ts';
import { closest } from '../../../constructs/model/similar.ts';
import { hasHiddenCharacters, isPrototypeName, showHidden } from '../../../constructs/model/text.ts';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1h30m', 5_400_000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '5', '5 s', '1.5h', '-1s', 's', '1d', '5S', `${'9'.repeat(20)}h`])('%j is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('quantities', () => {
  it.each([
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1500m', '1500m'],
    ['2', '2'],
  ])('cpu %s is stored as %s', (text, canonical) => expect(canonicalCpu(text)).toBe(canonical));

  it.each([
    ['1024Mi', '1Gi'],
    ['0.5Gi', '512Mi'],
    ['1536Mi', '1536Mi'],
    ['1000M', '1G'],
    ['1000', '1k'],
    ['123456789', '123456789'],
  ])('memory %s is stored as %s', (text, canonical) => expect(canonicalMemory(text)).toBe(canonical));

  it.each(['', '0', '-1', '1e3', '1Ei', '1 Gi', '1gi', '0.0001'])('%j is refused as memory and as cpu', (text) => {
    expect(canonicalCpu(text)).toBeUndefined();
    expect(canonicalMemory(text)).toBeUndefined();
  });

  it('half a byte is refused', () => expect(canonicalMemory('1.5')).toBeUndefined());

  it('canonical form keeps the amount and is its own canonical form', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.constantFrom('', 'Ki', 'Mi', 'Gi', 'k', 'M', 'G'),
        (amount, suffix) => {
          const canonical = canonicalMemory(`${amount}${suffix}`) ?? '';
          expect(parseMemory(canonical)).toBe(parseMemory(`${amount}${suffix}`));
          expect(canonicalMemory(canonical)).toBe(canonical);
          const cpu = canonicalCpu(`${amount}m`) ?? '';
          expect(parseCpu(cpu)).toBe(amount);
          expect(canonicalCpu(cpu)).toBe(cpu);
        },
      ),
    );
  });
});

describe('addresses', () => {
  const v4 = fc.ipV4();
  const v6 = fc.ipV6().filter((text) => !text.includes('.'));

  it('are printed canonically, and read back as the same', () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (text) => {
        const address = parseIp(text);
        expect(address).toBeDefined();
        if (address) expect(parseIp(formatAddress(address))).toEqual(address);
      }),
    );
  });

  it.each([
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::', '::'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['10.0.0.1', '10.0.0.1'],
  ])('%s is %s (RFC 5952)', (text, canonical) => {
    const address = parseIp(text);
    expect(address && formatAddress(address)).toBe(canonical);
  });

  it.each([
    '010.0.0.1',
    '1.2.3',
    '1.2.3.256',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.4 ',
    '::ffff:1.2.3.4',
    '1::2::3',
    '12345::',
    ':1',
    '1:2:3:4:5:6:7',
    '',
  ])('%j is none', (text) => expect(parseIp(text)).toBeUndefined());

  it('ranges contain what an independent implementation says', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(v4, v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, v6, fc.integer({ min: 0, max: 128 }))),
        ([network, other, prefix]) => {
          const address = parseIp(network);
          const probe = parseIp(other);
          if (!address || !probe) throw new Error('not parsed');
          const width = BigInt(address.prefix - prefix);
          const range = parseCidr(formatCidr({ ...address, bits: (address.bits >> width) << width, prefix }));
          if (!range) throw new Error('no range');
          const family = address.version === 4 ? 'ipv4' : 'ipv6';
          const oracle = new BlockList();
          oracle.addSubnet(network, prefix, family);
          expect(contains(range, probe)).toBe(oracle.check(other, family));
          expect(contains(range, address)).toBe(true);
        },
      ),
    );
  });

  it('a range with host bits is none: what was meant is unclear', () => {
    expect(parseCidr('10.0.0.1/8')).toBeUndefined();
    expect(parseCidr('10.0.0.0/33')).toBeUndefined();
    expect(parseCidr('10.0.0.0')).toBeUndefined();
    expect(parseCidr('::/0')).toEqual({ version: 6, bits: 0n, prefix: 0 });
  });
});

describe('texts', () => {
  it.each(['a\u200bb', 'a\u202eb', '\ufeffa', 'a\u0000', 'tag\u{e0041}', 'a\u2028b', '\ud800'])(
    '%j hides something',
    (text) => {
      expect(hasHiddenCharacters(text)).toBe(true);
      expect(hasHiddenCharacters(showHidden(text))).toBe(false);
    },
  );

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf'])(
    '%s reaches into a prototype',
    (name) => {
      expect(isPrototypeName(name)).toBe(true);
    },
  );

  it.each([
    ['schedul', 'schedule'],
    ['scheduel', 'schedule'],
    ['max-concurrency', 'max_concurrency'],
    ['catchup', 'catchUp'],
    ['something-else', undefined],
    ['x', undefined],
  ])('%s was meant to be %s', (word, meant) => {
    expect(closest(word, ['schedule', 'timezone', 'max_concurrency', 'catchUp', 'a', 'to'])).toBe(meant);
  });

  it('base64 is what Node makes of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(toBase64(text)).toBe(Buffer.from(text, 'utf8').toString('base64'));
      }),
    );
  });
});
