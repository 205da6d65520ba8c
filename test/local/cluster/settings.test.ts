import { describe, expect, test } from 'vitest';
import { TentacularError } from '../../../constructs/model/errors.ts';
import { defaultPorts, settingsFrom } from '../../../local/cluster/settings.ts';

function faultsOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof TentacularError && error.code === 'invalid_input') return error.message;
    throw error;
  }
  throw new Error('accepted');
}

test('without any choice the cluster is the one of this machine', () => {
  expect(settingsFrom({}, { TENTACULAR_CACHE: '/cache' })).toEqual({
    stateDir: '/var/lib/tentacular',
    cacheDir: '/cache',
    instance: 'tentacular',
    outside: false,
    ports: defaultPorts,
    podCidr: '10.244.0.0/16',
    serviceCidr: '10.96.0.0/16',
    nodeCidr: '172.31.255.0/24',
    nodeName: 'tentacular-node',
    nodeIp: '172.31.255.1',
    extIp: '172.31.255.2',
    apiServiceIp: '10.96.0.1',
    dnsServiceIp: '10.96.0.10',
    extNetns: 'tentacular-ext',
    nodeInterface: 'tentacular0',
  });
});

test('options win over the environment, which wins over what the cluster was started with', () => {
  const env = { TENTACULAR_PORTS: 'api=7443, kubelet=10350', TENTACULAR_POD_CIDR: '10.50.0.0/16' };
  const stored = {
    ports: { api: 8443, kubelet: 8250, scheduler: 8259 },
    podCidr: '10.60.0.0/16',
    serviceCidr: '10.61.0.0/16',
  };
  const settings = settingsFrom({ ports: { api: 9443 } }, env, stored);
  expect(settings.ports).toEqual({ ...defaultPorts, api: 9443, kubelet: 10350, scheduler: 8259 });
  expect([settings.podCidr, settings.serviceCidr, settings.nodeCidr]).toEqual([
    '10.50.0.0/16',
    '10.61.0.0/16',
    '172.31.255.0/24',
  ]);
});

test('another state folder gives other names to what lives in the kernel', () => {
  const one = settingsFrom({ stateDir: '/srv/one' }, {});
  const two = settingsFrom({}, { TENTACULAR_STATE: '/srv/two' });
  expect(one.instance).toMatch(/^tentacular-[0-9a-f]{6}$/);
  expect(new Set([one.instance, two.instance, 'tentacular']).size).toBe(3);
  expect(one.extNetns).toBe(`${one.instance}-ext`);
});

describe('a wrong setting is told with what would be right', () => {
  test.each([
    ['a range that is none', { podCidr: '10.0.0.0' }, /podCidr: must be an address range; found "10.0.0.0"/],
    ['a range not written with its first address', { podCidr: '10.244.1.0/16' }, /podCidr/],
    ['a range that is too small', { serviceCidr: '10.96.0.0/28' }, /serviceCidr: .*between \/8 and \/24/],
    ['ranges that overlap', { nodeCidr: '10.244.7.0/24' }, /10.244.0.0\/16 and 10.244.7.0\/24: must not overlap/],
    ['a number that is no port', { ports: { api: 70000 } }, /ports.api: must be a port; found "70000"/],
    ['one port for two', { ports: { api: 10250 } }, /ports.kubelet: must differ from api; found 10250/],
  ])('%s', (_what, options, expected) => {
    expect(faultsOf(() => settingsFrom(options, {}))).toMatch(expected);
  });

  test('the name of a port that there is not, and all faults at once', () => {
    const message = faultsOf(() => settingsFrom({ podCidr: 'x' }, { TENTACULAR_PORTS: 'apiserver=1,api=abc' }));
    expect(message).toMatch(/3 faults/);
    expect(message).toMatch(/found "apiserver"; allowed: api, etcd/);
    expect(message).toMatch(/ports.api: must be a port; found "NaN"/);
  });
});
