import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseHost } from '../../../constructs/workflow/host.ts';

function kindOf(host: string): string {
  const parsed = parseHost(host);
  return parsed.fault ? 'refused' : parsed.target.kind;
}

describe('the host of a dependency', () => {
  it.each([
    ['api.example.com', 'public'],
    ['github.com', 'public'],
    ['example.shop', 'public'],
    ['bücher.example.com', 'refused'],
    ['xn--bcher-kva.example.com', 'public'],
    ['echo.apps', 'cluster'],
    ['db.data', 'cluster'],
    ['db.data.svc', 'cluster'],
    ['db-0.db.data.svc.cluster.local', 'cluster'],
    ['a.b.c.d.svc', 'refused'],
    ['203.0.113.9', 'address'],
    ['[2001:db8::9]', 'address'],
    ['2001:db8::9', 'address'],
    ['kubernetes.default', 'refused'],
    ['kubernetes.default.svc', 'refused'],
    ['metadata.google.internal', 'refused'],
    ['localhost', 'refused'],
    ['x.localhost', 'refused'],
    ['127.0.0.53', 'refused'],
    ['224.0.0.1', 'refused'],
    ['255.255.255.255', 'refused'],
    ['fe80::1', 'refused'],
    ['ff02::1', 'refused'],
    ['::ffff:7f00:1', 'refused'],
    ['64:ff9b::a9fe:a9fe', 'refused'],
    ['2002:a9fe:a9fe::1', 'refused'],
    ['fd00:ec2::254', 'refused'],
    ['fd00:ec2::253', 'address'],
    ['a..b', 'refused'],
    ['-a.example.com', 'refused'],
    ['a.example.com.', 'refused'],
    ['user@example.com', 'refused'],
    ['example.com:443', 'refused'],
    [`${'a'.repeat(64)}.example.com`, 'refused'],
    [`${'a.'.repeat(130)}com`, 'refused'],
  ])('%s is %s', (host, kind) => expect(kindOf(host)).toBe(kind));

  it('names service and namespace, also behind the name of one pod', () => {
    expect(parseHost('db-0.db.data.svc')).toEqual({
      host: 'db-0.db.data.svc',
      target: { kind: 'cluster', service: 'db', namespace: 'data' },
    });
  });

  // The harm: the URL standard reads 0x7f.1 or 2130706433 as an address; the flag then names a host nobody checked.
  it('that a URL would take for another host is refused, as is every IPv4 address in disguise', () => {
    const number = fc.oneof(
      fc.nat(0xffff_ffff).map(String),
      fc.nat(255).map((n) => `0${n.toString(8)}`),
      fc.nat(255).map((n) => `0x${n.toString(16)}`),
    );
    const disguised = fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(fc.oneof(disguised, fc.domain(), fc.ipV4(), fc.webAuthority(), fc.string()), (text) => {
        const parsed = parseHost(text);
        if (parsed.fault) return;
        const literal = parsed.host.includes(':') ? `[${parsed.host}]` : parsed.host;
        expect(new URL(`http://${literal}/`).hostname).toBe(literal);
      }),
      { numRuns: 1000 },
    );
  });
});
