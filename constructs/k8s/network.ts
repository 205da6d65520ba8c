import type { EgressPeer, EgressRule } from '../workflow/egress.ts';
import { IntOrString, type NetworkPolicyEgressRule, type NetworkPolicyPeer } from './l1.ts';

/** The label that every namespace carries, with its own name. */
export const namespaceNameLabel = 'kubernetes.io/metadata.name';

/** A rule in the form of a NetworkPolicy. */
export function toNetworkPolicyRule(rule: EgressRule): NetworkPolicyEgressRule {
  // Kubernetes reads a rule without peers, or without ports, as "everywhere": the one thing that must never be meant.
  if (rule.peers.length === 0 || rule.ports.length === 0) {
    throw new RangeError(`egress for ${rule.because} names no peer or no port`);
  }
  return {
    to: rule.peers.map(toPeer),
    ports: rule.ports.map(({ port, protocol }) => ({ port: IntOrString.fromNumber(port), protocol })),
  };
}

function toPeer(peer: EgressPeer): NetworkPolicyPeer {
  if (peer.kind === 'range') {
    const except = peer.except.length === 0 ? {} : { except: [...peer.except] };
    return { ipBlock: { cidr: peer.cidr, ...except } };
  }
  return {
    namespaceSelector: labelSelector(peer.namespaceLabels),
    ...(peer.podLabels ? { podSelector: labelSelector(peer.podLabels) } : {}),
  };
}

/** A selector by labels; one without labels selects everything. */
export function labelSelector(labels: Readonly<Record<string, string>>): { matchLabels?: Record<string, string> } {
  return Object.keys(labels).length === 0 ? {} : { matchLabels: { ...labels } };
}
