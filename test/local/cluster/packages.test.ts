import { expect, test } from 'vitest';
import { ensurePackages, type PackageHost } from '../../../local/cluster/packages.ts';
import type { Progress } from '../../../local/progress.ts';

/** A machine as `ensurePackages` sees it: programs it has, and what apt-get would bring. */
function machine(given: { has?: readonly string[]; cni?: boolean; apt?: boolean; brings?: boolean }) {
  const { has = [], cni = false, apt = true, brings = true } = given;
  const installed: string[] = [];
  let complete = false;
  const host: PackageHost = {
    findProgram: async (name) => {
      if (name === 'apt-get') return apt ? '/usr/bin/apt-get' : undefined;
      return complete || has.includes(name) ? `/usr/bin/${name}` : undefined;
    },
    findCniFolder: async () => (complete || cni ? '/usr/lib/cni' : undefined),
    install: async (packages) => {
      installed.push(...packages);
      complete = brings;
    },
  };
  return { host, installed };
}

function recording() {
  const labels: string[] = [];
  const progress: Progress = {
    step: async (label, work) => {
      labels.push(label);
      return work(() => undefined);
    },
    note: (text) => labels.push(text),
  };
  return { labels, progress };
}

const everything = [
  ...['containerd', 'ctr', 'containerd-shim-runc-v2', 'runc', 'iptables', 'iptables-save', 'nft', 'ipset'],
  ...['conntrack', 'socat', 'ip', 'openssl'],
];

test('on a fresh Debian every package is installed, and it is said', async () => {
  const { host, installed } = machine({});
  const { labels, progress } = recording();
  expect(await ensurePackages(progress, host)).toEqual({
    containerd: '/usr/bin/containerd',
    ctr: '/usr/bin/ctr',
    cniFolder: '/usr/lib/cni',
  });
  const packages = [
    ...['conntrack', 'containerd', 'containernetworking-plugins', 'iproute2', 'ipset', 'iptables', 'nftables'],
    ...['openssl', 'runc', 'socat'],
  ];
  expect(installed).toEqual(packages);
  expect(labels).toEqual([`installing Debian packages: ${packages.join(' ')}`]);
});

test('only what is missing is installed; nothing where nothing is', async () => {
  const some = machine({ has: everything.filter((name) => name !== 'nft'), cni: true });
  await ensurePackages(recording().progress, some.host);
  expect(some.installed).toEqual(['nftables']);
  const all = machine({ has: everything, cni: true });
  const { labels, progress } = recording();
  await ensurePackages(progress, all.host);
  expect([all.installed, labels]).toEqual([[], []]);
});

test('without apt-get the error names what is missing and the command that installs it', async () => {
  const { host, installed } = machine({ has: everything.filter((name) => name !== 'runc'), apt: false });
  await expect(ensurePackages(recording().progress, host)).rejects.toMatchObject({
    message: 'The local cluster needs programs that are missing: containernetworking-plugins, runc',
    hint: expect.stringContaining('apt-get install containernetworking-plugins runc'),
    retryable: false,
  });
  expect(installed).toEqual([]);
});

test('packages that do not bring the programs are an error', async () => {
  const { host } = machine({ brings: false });
  await expect(ensurePackages(recording().progress, host)).rejects.toThrow(
    'needs programs that are missing: conntrack',
  );
});
