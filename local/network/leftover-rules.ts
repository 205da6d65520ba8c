import { pollUntil } from '../cluster/wait.ts';
import { runCommand } from '../run-command.ts';
import { interfaceNames, removeInterface } from './topology.ts';

/** Chains of kube-proxy, of the kubelet, of Felix, and of the CNI portmap plugin. */
const CLUSTER_CHAIN = /^(KUBE-|cali-|CNI-)/;
/** Sets of Felix (IPv4, IPv6). */
const CLUSTER_SET = /^cali[46]0/;
const SET_TIMEOUT_MS = 30_000;
const POD_INTERFACE = /^cali[0-9a-f]{11}$/;

/** Removes the rules, sets and interfaces that kube-proxy, Felix and the CNI plugins leave behind when they end. */
export async function removeLeftoverRules(): Promise<void> {
  const saved = await runCommand('iptables-save', []);
  const script = cleanupScript(saved);
  if (script !== '') await runCommand('iptables-restore', ['--noflush', '-w', '10'], { input: script });
  for (const set of (await runCommand('ipset', ['list', '-n'])).split('\n')) {
    if (CLUSTER_SET.test(set)) await destroySet(set);
  }
  for (const name of await interfaceNames()) {
    if (POD_INTERFACE.test(name)) await removeInterface(name);
  }
}

/** The kernel lets go of a set a moment after the last rule that names it is gone; until then it is "in use". */
async function destroySet(set: string): Promise<void> {
  let failure: unknown;
  const destroyed = await pollUntil(SET_TIMEOUT_MS, async () => {
    try {
      await runCommand('ipset', ['destroy', set]);
      return true;
    } catch (error) {
      failure = error;
      return undefined;
    }
  });
  if (!destroyed) throw failure;
}

/** Input for `iptables-restore --noflush` that deletes every chain of the cluster and every rule that jumps to one. */
export function cleanupScript(saved: string): string {
  const script: string[] = [];
  let flushes: string[] = [];
  let deletions: string[] = [];
  let jumps: string[] = [];
  let table = '';
  for (const line of saved.split('\n')) {
    const chain = /^:(\S+)/.exec(line)?.[1];
    const rule = /^-A (\S+) (.*)$/.exec(line);
    if (line.startsWith('*')) {
      table = line;
      flushes = [];
      deletions = [];
      jumps = [];
    } else if (chain !== undefined && CLUSTER_CHAIN.test(chain)) {
      // Declared again: `--noflush` empties a user chain that its input declares.
      flushes.push(`:${chain} - [0:0]`);
      deletions.push(`-X ${chain}`);
    } else if (rule?.[1] && rule[2] && !CLUSTER_CHAIN.test(rule[1]) && jumpsToCluster(rule[2])) {
      jumps.push(`-D ${rule[1]} ${rule[2]}`);
    } else if (line === 'COMMIT' && flushes.length + jumps.length > 0) {
      script.push(table, ...flushes, ...jumps, ...deletions, 'COMMIT');
    }
  }
  return script.length === 0 ? '' : `${script.join('\n')}\n`;
}

/** Felix also adds plain rules to the built-in chains; it marks each with a comment `cali:<hash>`. */
function jumpsToCluster(rule: string): boolean {
  const target = /(?:^| )-[jg] (\S+)/.exec(rule)?.[1] ?? '';
  return CLUSTER_CHAIN.test(target) || /--comment "cali:/.test(rule);
}
