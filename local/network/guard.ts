import type { Settings } from '../cluster/settings.ts';
import { runCommand } from '../run-command.ts';

/** Kubernetes' default range; the API server is started with it. */
export const nodePortRange = '30000-32767';

/** Prefix of the host's ends of pod interfaces (Calico's default). */
const POD_INTERFACES = 'cali*';

/** Name of the nftables table: `tentacular_guard`, or with the instance's suffix. */
function guardTable(settings: Settings): string {
  return `${settings.instance.replaceAll('-', '_')}_guard`;
}

/**
 * The guard, as an nftables script that replaces it in one transaction. It holds whatever other chains say, because a
 * drop in any chain is final:
 * - nothing that a pod (or the namespace outside the cluster) sends leaves the machine, unless `outside` is on, which
 *   masquerades it instead;
 * - nothing that comes from other machines reaches the API server, the kubelet, a NodePort, or an address of the cluster;
 * - nothing addressed to the cluster leaves through another interface, even where no rule of kube-proxy exists yet.
 */
export function guardRules(settings: Settings): string {
  const ranges = `{ ${settings.podCidr}, ${settings.serviceCidr}, ${settings.nodeCidr} }`;
  const inner = [POD_INTERFACES, settings.nodeInterface];
  const table = `inet ${guardTable(settings)}`;
  const leaving = inner.map((name) => `    iifname "${name}" counter drop`);
  const entering = inner.map((name) => `    oifname "${name}" counter drop`);
  const within = inner.flatMap((from) => inner.map((to) => `    iifname "${from}" oifname "${to}" accept`));
  const answers = inner.map((name) => `    oifname "${name}" ct state established,related accept`);
  const masquerade = [
    '  chain leaving_masquerade {',
    '    type nat hook postrouting priority 90; policy accept;',
    `    ip saddr ${settings.podCidr} ip daddr != ${ranges} masquerade`,
    `    ip saddr ${settings.extIp} ip daddr != ${ranges} masquerade`,
    '  }',
  ];
  return [
    // Declared first, so that the deletion never fails; both happen in one transaction.
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain forward_guard {',
    '    type filter hook forward priority -400; policy accept;',
    ...within,
    ...(settings.outside ? answers : leaving),
    ...entering,
    '  }',
    '  chain output_guard {',
    '    type filter hook output priority 400; policy accept;',
    `    oifname { "lo", "${settings.nodeInterface}" } accept`,
    `    oifname "${POD_INTERFACES}" accept`,
    `    ip daddr ${ranges} counter drop`,
    '  }',
    // After connection tracking (-200), before the translation of NodePorts and ClusterIPs (-100).
    '  chain entry_guard {',
    '    type filter hook prerouting priority -150; policy accept;',
    `    iifname { "lo", "${settings.nodeInterface}" } accept`,
    `    iifname "${POD_INTERFACES}" accept`,
    '    ct state established,related accept',
    `    ip daddr ${ranges} counter drop`,
    '    ip daddr 127.0.0.0/8 counter drop',
    `    fib daddr type local tcp dport { ${settings.ports.api}, ${settings.ports.kubelet}, ${nodePortRange} } counter drop`,
    `    fib daddr type local udp dport ${nodePortRange} counter drop`,
    '  }',
    ...(settings.outside ? masquerade : []),
    '}',
    '',
  ].join('\n');
}

/** Puts the guard in place; always before the first pod starts. */
export async function ensureGuard(settings: Settings): Promise<void> {
  await runCommand('nft', ['-f', '-'], { input: guardRules(settings) });
}

export async function removeGuard(settings: Settings): Promise<void> {
  const table = `inet ${guardTable(settings)}`;
  await runCommand('nft', ['-f', '-'], { input: `table ${table}\ndelete table ${table}\n` });
}
