import { expect, test } from 'vitest';
import { settingsFrom } from '../../../local/cluster/settings.ts';
import { parseRange, rangesOverlap } from '../../../local/network/address-range.ts';
import { guardRules } from '../../../local/network/guard.ts';
import { cleanupScript } from '../../../local/network/leftover-rules.ts';

test('the guard, rule by rule', () => {
  expect(guardRules(settingsFrom({}, {}))).toBe(`table inet tentacular_guard
delete table inet tentacular_guard
table inet tentacular_guard {
  chain forward_guard {
    type filter hook forward priority -400; policy accept;
    iifname "cali*" oifname "cali*" accept
    iifname "cali*" oifname "tentacular0" accept
    iifname "tentacular0" oifname "cali*" accept
    iifname "tentacular0" oifname "tentacular0" accept
    iifname "cali*" counter drop
    iifname "tentacular0" counter drop
    oifname "cali*" counter drop
    oifname "tentacular0" counter drop
  }
  chain output_guard {
    type filter hook output priority 400; policy accept;
    oifname { "lo", "tentacular0" } accept
    oifname "cali*" accept
    ip daddr { 10.244.0.0/16, 10.96.0.0/16, 172.31.255.0/24 } counter drop
  }
  chain entry_guard {
    type filter hook prerouting priority -150; policy accept;
    iifname { "lo", "tentacular0" } accept
    iifname "cali*" accept
    ct state established,related accept
    ip daddr { 10.244.0.0/16, 10.96.0.0/16, 172.31.255.0/24 } counter drop
    ip daddr 127.0.0.0/8 counter drop
    fib daddr type local tcp dport { 6443, 10250, 30000-32767 } counter drop
    fib daddr type local udp dport 30000-32767 counter drop
  }
}
`);
});

test('outside: pods get out masqueraded and only their answers get in; entry stays guarded', () => {
  const guarded = guardRules(settingsFrom({}, {}));
  const outside = guardRules(settingsFrom({ outside: true }, {}));
  expect(outside).not.toContain('iifname "cali*" counter drop');
  expect(outside).toContain('oifname "cali*" ct state established,related accept\n');
  expect(outside).toContain('oifname "cali*" counter drop');
  expect(outside).toContain(
    'ip saddr 10.244.0.0/16 ip daddr != { 10.244.0.0/16, 10.96.0.0/16, 172.31.255.0/24 } masquerade',
  );
  const entry = (rules: string) =>
    rules.slice(rules.indexOf('chain entry_guard'), rules.indexOf('  }', rules.indexOf('chain entry_guard')));
  expect(entry(outside)).toBe(entry(guarded));
});

test('cleaning up takes the chains of the cluster and the jumps to them, and leaves all else', () => {
  const saved = `*filter
:INPUT ACCEPT [0:0]
:DOCKER - [0:0]
:KUBE-FORWARD - [0:0]
:cali-INPUT - [0:0]
-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT
-A INPUT -j KUBE-FORWARD
-A INPUT -m comment --comment "cali:accepted" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A INPUT -i docker0 -j DOCKER
-A KUBE-FORWARD -j ACCEPT
COMMIT
*raw
:PREROUTING ACCEPT [0:0]
COMMIT
*nat
:CNI-HOSTPORT-DNAT - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
COMMIT
`;
  expect(cleanupScript(saved)).toBe(`*filter
:KUBE-FORWARD - [0:0]
:cali-INPUT - [0:0]
-D INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT
-D INPUT -j KUBE-FORWARD
-D INPUT -m comment --comment "cali:accepted" -m mark --mark 0x10000/0x10000 -j ACCEPT
-X KUBE-FORWARD
-X cali-INPUT
COMMIT
*nat
:CNI-HOSTPORT-DNAT - [0:0]
-D PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-X CNI-HOSTPORT-DNAT
COMMIT
`);
  expect(cleanupScript('*filter\n:INPUT ACCEPT [0:0]\n:DOCKER - [0:0]\nCOMMIT\n')).toBe('');
});

test('ranges are read strictly and compared as numbers', () => {
  expect(parseRange('10.0.0.0/8')).toMatchObject({ first: 167772160, last: 184549375 });
  expect(parseRange('10.0.0.7')?.address(0)).toBe('10.0.0.7');
  for (const wrong of ['10.0.0.1/8', '256.0.0.0/8', '10.0.0.0/33', '::/0', 'default', ''])
    expect(parseRange(wrong)).toBeUndefined();
  const overlap = (a: string, b: string) => {
    const [one, two] = [parseRange(a), parseRange(b)];
    if (!one || !two) throw new Error('no range');
    return rangesOverlap(one, two);
  };
  expect(overlap('10.0.0.0/8', '10.244.0.0/16')).toBe(true);
  expect(overlap('10.244.0.0/16', '10.245.0.0/16')).toBe(false);
});
