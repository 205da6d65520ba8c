import type { Fault } from '../model/errors.ts';
import { type Cidr, contains, formatCidr, parseCidr } from '../model/ip.ts';
import type { BackingServiceOptions, DnsOptions, RendererOptions } from '../model/options.ts';
import { backingServiceOf } from './exoskeleton.ts';
import { parseHost } from './host.ts';
import type { DynamicTargetDependency, HostDependency, Workflow } from './workflow.ts';
import { childPath } from './yaml-source.ts';

/** Pods by label, or a range of addresses. */
export type EgressPeer =
  | {
      readonly kind: 'pods';
      readonly namespaceLabels: Readonly<Record<string, string>>;
      readonly podLabels?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'range'; readonly cidr: string; readonly except: readonly string[] };

/** One opening: whoever needs it, to where, on which ports. */
export interface EgressRule {
  /** `dns`, `module-proxy`, `otlp`, or `dependency <name>`. */
  readonly because: string;
  readonly peers: readonly EgressPeer[];
  readonly ports: readonly { readonly port: number; readonly protocol: 'TCP' | 'UDP' }[];
}

export interface EgressInput {
  readonly workflow: Pick<Workflow, 'contract'>;
  readonly options: RendererOptions;
  /** Nodes import third-party code. */
  readonly modules: boolean;
}

/** What is never meant by "the internet": private, shared and link-local ranges (RFC 1918, 6598, 3927, 4193, 4291). */
const privateRanges: readonly Cidr[] = rangesOf([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
]);

const namespaceName = 'kubernetes.io/metadata.name';

/** Every opening that a tentacle's NetworkPolicy holds: DNS, module proxy, collector, one rule a dependency, by name. */
export function egressRules({ workflow, options, modules }: EgressInput): { rules: EgressRule[]; faults: Fault[] } {
  const rules: EgressRule[] = [dnsRule(options.dns)];
  const faults: Fault[] = [];
  const { moduleProxy, otlp } = options;
  if (modules && moduleProxy) {
    const peer: EgressPeer = {
      kind: 'pods',
      namespaceLabels: { [namespaceName]: moduleProxy.namespace },
      podLabels: moduleProxy.podLabels,
    };
    rules.push({ because: 'module-proxy', peers: [peer], ports: [{ port: moduleProxy.port, protocol: 'TCP' }] });
  }
  if (otlp) {
    const peer: EgressPeer = { kind: 'pods', namespaceLabels: { [namespaceName]: otlp.namespace } };
    rules.push({ because: 'otlp', peers: [peer], ports: [{ port: otlp.port, protocol: 'TCP' }] });
  }
  const { podCidrs, serviceCidrs, nodeCidrs } = options;
  const protectedRanges = [...privateRanges, ...rangesOf([...podCidrs, ...serviceCidrs, ...nodeCidrs])];
  const context: RuleContext = { apiServer: rangesOf(options.apiServerCidrs ?? []), protectedRanges };
  const { dependencies } = workflow.contract;
  for (const name of Object.keys(dependencies).sort()) {
    const dependency = dependencies[name];
    if (!dependency) continue;
    const path = childPath('contract.dependencies', name);
    const because = `dependency ${name}`;
    if (dependency.type === 'dynamic-target')
      rules.push(...dynamicRule(dependency, { because, path, context, faults }));
    else if (dependency.type === 'host') rules.push(...hostRule(dependency, { because, path, context, faults }));
    else {
      const service = backingServiceOf(dependency.service, options);
      if (service) rules.push(...hostRule(asHost(service), { because, path, context, faults }));
      else {
        const hint = 'an administrator turns it on in the chart (exoskeleton.*)';
        faults.push({
          path,
          message: 'names a service that this cluster does not offer',
          found: dependency.service,
          hint,
        });
      }
    }
  }
  return { rules, faults };
}

/** The opening to the cluster's DNS, UDP and TCP. */
export function dnsRule(dns: DnsOptions): EgressRule {
  const port = dns.port ?? 53;
  const byLabels: EgressPeer[] =
    dns.namespaceLabels || dns.podLabels
      ? [
          {
            kind: 'pods',
            namespaceLabels: dns.namespaceLabels ?? {},
            ...(dns.podLabels ? { podLabels: dns.podLabels } : {}),
          },
        ]
      : [];
  const byAddress = (dns.cidrs ?? []).map((cidr): EgressPeer => ({ kind: 'range', cidr, except: [] }));
  return {
    because: 'dns',
    peers: [...byLabels, ...byAddress],
    ports: [
      { port, protocol: 'UDP' },
      { port, protocol: 'TCP' },
    ],
  };
}

interface RuleContext {
  readonly apiServer: readonly Cidr[];
  readonly protectedRanges: readonly Cidr[];
}

interface RulePlace {
  readonly because: string;
  readonly path: string;
  readonly context: RuleContext;
  readonly faults: Fault[];
}

function asHost({ host, port, targetPort, cidr }: BackingServiceOptions): HostDependency {
  const optional = { ...(targetPort === undefined ? {} : { targetPort }), ...(cidr === undefined ? {} : { cidr }) };
  return { type: 'host', protocol: 'tcp', host, port, ...optional };
}

function hostRule(dependency: HostDependency, place: RulePlace): EgressRule[] {
  const { because, path, context, faults } = place;
  const parsed = parseHost(dependency.host);
  if (parsed.fault) {
    faults.push({ path: `${path}.host`, message: parsed.fault.message, found: dependency.host });
    return [];
  }
  const { target } = parsed;
  const ports = [{ port: dependency.port, protocol: 'TCP' as const }];
  if (target.kind === 'cluster') {
    const peer: EgressPeer = { kind: 'pods', namespaceLabels: { [namespaceName]: target.namespace } };
    return [{ because, peers: [peer], ports: [{ port: dependency.targetPort ?? dependency.port, protocol: 'TCP' }] }];
  }
  if (dependency.cidr !== undefined) return rangeRule(dependency.cidr, ports, place);
  if (target.kind === 'public') {
    const peers = ['0.0.0.0/0', '::/0'].map((cidr) => rangePeer(cidr, context));
    return [{ because, peers, ports }];
  }
  const inside = context.protectedRanges.find((range) => contains(range, target.address));
  const address = formatCidr(target.address);
  if (inside && !context.apiServer.some((range) => contains(range, target.address))) {
    const hint = `add cidr: ${address} if that is meant`;
    faults.push({
      path: `${path}.host`,
      message: 'is a private address',
      found: dependency.host,
      allowed: 'a private target with its cidr',
      hint,
    });
    return [];
  }
  return rangeRule(address, ports, place);
}

function dynamicRule(dependency: DynamicTargetDependency, place: RulePlace): EgressRule[] {
  return rangeRule(dependency.cidr, dependency.ports, place);
}

function rangeRule(
  cidr: string,
  ports: EgressRule['ports'],
  { because, path, context, faults }: RulePlace,
): EgressRule[] {
  const range = parseCidr(cidr);
  if (range && context.apiServer.some((known) => contains(known, range))) {
    faults.push({
      path,
      message: 'is the address of the Kubernetes API server, which nodes may not reach',
      found: cidr,
    });
    return [];
  }
  return [{ because, peers: [rangePeer(cidr, context)], ports }];
}

// Each exception applies where it lies inside the range; a range that lies inside an exception names it on purpose.
function rangePeer(text: string, { protectedRanges, apiServer }: RuleContext): EgressPeer {
  const range = parseCidr(text);
  if (!range) return { kind: 'range', cidr: text, except: [] };
  const inside = [...protectedRanges, ...apiServer].filter(
    (known) => contains(range, known) && !contains(known, range),
  );
  const outermost = inside.filter(
    (known) => !inside.some((other) => other.prefix < known.prefix && contains(other, known)),
  );
  return { kind: 'range', cidr: text, except: [...new Set(outermost.map(formatCidr))].sort() };
}

function rangesOf(texts: readonly string[]): Cidr[] {
  return texts.map(parseCidr).filter((cidr) => cidr !== undefined);
}
