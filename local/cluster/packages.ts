import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { Progress } from '../progress.ts';
import { runCommand } from '../run-command.ts';

const INSTALL_TIMEOUT_MS = 10 * 60_000;

/** Programs that come from the distribution, and the Debian package of each. */
const requiredPrograms: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  ctr: 'containerd',
  'containerd-shim-runc-v2': 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  'iptables-save': 'iptables',
  nft: 'nftables',
  ipset: 'ipset',
  conntrack: 'conntrack',
  socat: 'socat',
  ip: 'iproute2',
  openssl: 'openssl',
};

/** CNI plugins, a Debian package too; elsewhere they often lie in /opt/cni/bin. */
export const cniPlugins = ['host-local', 'loopback', 'portmap'] as const;
const CNI_PACKAGE = 'containernetworking-plugins';
const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

export interface SystemPrograms {
  readonly containerd: string;
  readonly ctr: string;
  /** Folder that holds the CNI plugins. */
  readonly cniFolder: string;
}

/** What `ensurePackages` touches of the machine. */
export interface PackageHost {
  /** Path of a program in PATH or a system folder; `undefined` where there is none. */
  findProgram(name: string): Promise<string | undefined>;
  /** Folder that holds every CNI plugin that is needed. */
  findCniFolder(): Promise<string | undefined>;
  install(packages: readonly string[]): Promise<void>;
}

/**
 * Finds the programs that the distribution supplies; on Debian and its like, installs what is missing, and says so.
 * @throws TentacularError `unavailable` that names what is missing and the command that installs it.
 */
export async function ensurePackages(progress: Progress, host: PackageHost = thisMachine): Promise<SystemPrograms> {
  const missing = await missingPackages(host);
  if (missing.length > 0) {
    if ((await host.findProgram('apt-get')) === undefined) throw missingError(missing);
    await progress.step(`installing Debian packages: ${missing.join(' ')}`, () => host.install(missing));
  }
  const still = missing.length > 0 ? await missingPackages(host) : [];
  const containerd = await host.findProgram('containerd');
  const ctr = await host.findProgram('ctr');
  const cniFolder = await host.findCniFolder();
  if (still.length > 0 || !containerd || !ctr || !cniFolder) throw missingError(still);
  return { containerd, ctr, cniFolder };
}

async function missingPackages(host: PackageHost): Promise<string[]> {
  const missing = new Set<string>();
  for (const [program, packageName] of Object.entries(requiredPrograms))
    if ((await host.findProgram(program)) === undefined) missing.add(packageName);
  if ((await host.findCniFolder()) === undefined) missing.add(CNI_PACKAGE);
  return [...missing].sort();
}

/** This machine, with apt-get. */
const thisMachine: PackageHost = {
  async findProgram(name) {
    const folders = (process.env.PATH ?? '').split(':').filter((folder) => folder !== '');
    for (const folder of [...folders, '/usr/local/sbin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']) {
      const path = join(folder, name);
      if (await isExecutable(path)) return path;
    }
    return undefined;
  },
  async findCniFolder() {
    for (const folder of CNI_FOLDERS) {
      const there = await Promise.all(cniPlugins.map((plugin) => isExecutable(join(folder, plugin))));
      if (there.every(Boolean)) return folder;
    }
    return undefined;
  },
  async install(packages) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const hint = `Install them by hand: apt-get update && apt-get install ${packages.join(' ')}`;
    await runCommand('apt-get', ['update', '-q'], { env, timeoutMs: INSTALL_TIMEOUT_MS, hint });
    await runCommand('apt-get', ['install', '-q', '-y', '--no-install-recommends', ...packages], {
      env,
      timeoutMs: INSTALL_TIMEOUT_MS,
      hint,
    });
  },
};

function missingError(packages: readonly string[]): TentacularError {
  return new TentacularError(
    'unavailable',
    `The local cluster needs programs that are missing: ${packages.join(', ')}`,
    {
      hint: `On Debian and Ubuntu: apt-get install ${packages.join(' ')}. Elsewhere, install the packages of the same purpose.`,
      retryable: false,
    },
  );
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
