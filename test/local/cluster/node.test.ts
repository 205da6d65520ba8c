import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { auditFiles } from '../../../local/cluster/audit.ts';
import { controlPlane } from '../../../local/cluster/control-plane.ts';
import { layoutOf } from '../../../local/cluster/layout.ts';
import { node, nodeConfigFiles } from '../../../local/cluster/node.ts';
import { settingsFrom } from '../../../local/cluster/settings.ts';

const settings = settingsFrom(
  {
    stateDir: '/srv/state',
    ports: { api: 7443, etcd: 7379, kubelet: 7250, kubeletHealth: 7248, proxyHealth: 7256, felixHealth: 7099 },
    podCidr: '10.50.0.0/16',
    serviceCidr: '10.51.0.0/16',
    nodeCidr: '172.30.0.0/24',
  },
  {},
);
const layout = layoutOf('/srv/state');

test('every file of the node is below the state folder and follows the settings', () => {
  const files = nodeConfigFiles(settings, layout, []);
  expect(Object.keys(files).sort()).toEqual([
    '/srv/state/etc/containerd.toml',
    '/srv/state/etc/kube-proxy.yaml',
    '/srv/state/etc/kubelet.yaml',
    '/srv/state/etc/net.d/10-tentacular.conflist',
    '/srv/state/etc/resolv.conf',
  ]);
  expect(parse(files['/srv/state/etc/kubelet.yaml'] ?? '')).toMatchObject({
    port: 7250,
    healthzPort: 7248,
    clusterDNS: ['10.51.0.10'],
    cgroupRoot: `/${settings.instance}`,
    podLogsDir: '/srv/state/log/pods',
    containerRuntimeEndpoint: 'unix:///srv/state/run/containerd.sock',
    authentication: { anonymous: { enabled: false } },
    authorization: { mode: 'Webhook' },
  });
  expect(parse(files['/srv/state/etc/kube-proxy.yaml'] ?? '')).toMatchObject({
    clusterCIDR: '10.50.0.0/16',
    nodePortAddresses: ['127.0.0.0/8', '172.30.0.1/32'],
    healthzBindAddress: '127.0.0.1:7256',
  });
  expect(files['/srv/state/etc/containerd.toml']).toContain('state = "/srv/state/run/containerd"');
});

test('behind the guard pods have no resolver but the cluster, outside they have the machine its own', () => {
  const resolvConf = (resolvers: string[]) =>
    nodeConfigFiles(settings, layout, resolvers)['/srv/state/etc/resolv.conf'];
  expect(resolvConf([])).not.toContain('nameserver');
  expect(resolvConf(['192.0.2.53'])).toContain('nameserver 192.0.2.53');
});

test('what listens beyond loopback is the API server and the kubelet only', () => {
  const paths = { etcd: '/e', 'kube-apiserver': '/a', 'kube-controller-manager': '/c', 'kube-scheduler': '/s' };
  const control = controlPlane(settings, layout, paths);
  const flag = (args: readonly string[], name: string) => args[args.indexOf(name) + 1];
  expect(flag(control.etcd.args, '--listen-client-urls')).toBe('https://127.0.0.1:7379');
  expect(flag(control.controllerManager.args, '--bind-address')).toBe('127.0.0.1');
  expect(flag(control.scheduler.args, '--bind-address')).toBe('127.0.0.1');
  expect(flag(control.apiServer.args, '--secure-port')).toBe('7443');
  const node_ = node(
    settings,
    layout,
    { containerd: '/c', kubelet: '/k', 'kube-proxy': '/p', 'calico-felix': '/f' },
    'NFT',
  );
  expect(node_.felix.env).toMatchObject({
    FELIX_HEALTHHOST: '127.0.0.1',
    FELIX_HEALTHPORT: '7099',
    FELIX_USAGEREPORTINGENABLED: 'false',
    FELIX_DEVICEROUTESOURCEADDRESS: '172.30.0.1',
  });
});

test('the API server records what workloads write in a log of bounded size, and starts anew where the policy changes', () => {
  const paths = { etcd: '/e', 'kube-apiserver': '/a', 'kube-controller-manager': '/c', 'kube-scheduler': '/s' };
  const { apiServer } = controlPlane(settings, layout, paths);
  const flag = (name: string) => apiServer.args[apiServer.args.indexOf(name) + 1];
  const [[path, content] = ['', '']] = Object.entries(auditFiles(layout));
  expect(flag('--audit-policy-file')).toBe(path);
  expect(apiServer.configFiles).toContain(path);
  expect(flag('--audit-log-path')).toBe('/srv/state/log/audit/audit.log');
  expect(Number(flag('--audit-log-maxsize')) * (1 + Number(flag('--audit-log-maxbackup')))).toBeLessThanOrEqual(64);
  const levels = (parse(content) as { rules: { level: string }[] }).rules.map(({ level }) => level);
  // Never the content of a Secret.
  expect(new Set(levels)).toEqual(new Set(['None', 'Metadata']));
});
