import { Construct } from 'constructs';
import {
  KubeLimitRange,
  KubeNamespace,
  KubeNetworkPolicy,
  KubeResourceQuota,
  KubeRoleBinding,
  KubeServiceAccount,
  Quantity,
} from '../k8s/l1.ts';
import { toNetworkPolicyRule } from '../k8s/network.ts';
import { defaultPodSecurityVersion, podSecurityLabels } from '../k8s/pod-security.ts';
import { toManifest } from '../k8s/to-manifest.ts';
import { enclaveLabels } from '../model/labels.ts';
import type { Manifest } from '../model/manifest.ts';
import type { RendererOptions } from '../model/options.ts';
import type { EnclaveSource } from '../source.ts';
import { tentacleServiceAccount } from '../tentacle/pod.ts';
import { defaultResources } from '../tentacle/resources.ts';
import { dnsRule } from '../workflow/egress.ts';
import { resolveEnclave } from './resolve.ts';

/** What an enclave is made from: what its team says, and the options of the cluster that it is meant for. */
export interface EnclaveProps extends EnclaveSource {
  /** Control plane, DNS and Pod Security version have an influence here. */
  readonly options: RendererOptions;
}

// With a dot, which no tentacle's name can hold: a tentacle's own NetworkPolicy is called like the tentacle.
const denyName = 'enclave.default-deny';
const dnsName = 'enclave.allow-dns';
const enclaveObject = 'enclave';
/** Name of the RoleBinding that gives the control plane its rights in the enclave. */
const controlPlaneBinding = 'tentacular-control-plane';

/**
 * A team's workspace: a Namespace held to Pod Security `restricted`, shut in both directions but for DNS, with a
 * quota, defaults for containers, a ServiceAccount without rights, and the control plane's rights in it.
 *
 * @throws TentacularError `invalid_input` with every fault.
 */
export class Enclave extends Construct {
  readonly namespace: KubeNamespace;
  readonly roleBinding: KubeRoleBinding;
  readonly defaultDeny: KubeNetworkPolicy;
  readonly allowDns: KubeNetworkPolicy;
  readonly resourceQuota: KubeResourceQuota;
  readonly limitRange: KubeLimitRange;
  readonly serviceAccount: KubeServiceAccount;

  constructor(scope: Construct, id: string, { options, ...source }: EnclaveProps) {
    super(scope, id);
    const { name: namespace, annotations, quota } = resolveEnclave(source);
    const labels = enclaveLabels(namespace);
    const named = (name: string): { name: string; namespace: string; labels: Record<string, string> } => ({
      name,
      namespace,
      labels,
    });

    const podSecurity = podSecurityLabels(options.podSecurityVersion ?? defaultPodSecurityVersion);
    this.namespace = new KubeNamespace(this, 'namespace', {
      metadata: { name: namespace, labels: { ...labels, ...podSecurity }, annotations: { ...annotations } },
    });
    const { controlPlane } = options;
    this.roleBinding = new KubeRoleBinding(this, 'role-binding', {
      metadata: named(controlPlaneBinding),
      roleRef: {
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'ClusterRole',
        name: controlPlane.enclaveClusterRole ?? 'tentacular-enclave',
      },
      subjects: [{ kind: 'ServiceAccount', name: controlPlane.serviceAccount, namespace: controlPlane.namespace }],
    });
    this.defaultDeny = new KubeNetworkPolicy(this, 'default-deny', {
      metadata: named(denyName),
      spec: { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    });
    this.allowDns = new KubeNetworkPolicy(this, 'allow-dns', {
      metadata: named(dnsName),
      spec: { podSelector: {}, policyTypes: ['Egress'], egress: [toNetworkPolicyRule(dnsRule(options.dns))] },
    });
    this.resourceQuota = new KubeResourceQuota(this, 'resource-quota', {
      metadata: named(enclaveObject),
      spec: {
        hard: {
          'requests.cpu': Quantity.fromString(quota.cpu),
          'requests.memory': Quantity.fromString(quota.memory),
          'limits.memory': Quantity.fromString(quota.memory),
          'requests.storage': Quantity.fromString(quota.storage),
        },
      },
    });
    const { requests, limits } = defaultResources;
    const quantities = (amounts: { cpu: string; memory: string }): Record<string, Quantity> => ({
      cpu: Quantity.fromString(amounts.cpu),
      memory: Quantity.fromString(amounts.memory),
    });
    this.limitRange = new KubeLimitRange(this, 'limit-range', {
      metadata: named(enclaveObject),
      spec: { limits: [{ type: 'Container', defaultRequest: quantities(requests), default: quantities(limits) }] },
    });
    this.serviceAccount = new KubeServiceAccount(this, 'service-account', {
      metadata: named(tentacleServiceAccount),
      automountServiceAccountToken: false,
    });
  }

  /** The set in the order of applying: the Namespace, then the rights to fill it, then the rest. */
  render(): readonly Manifest[] {
    const { namespace, roleBinding, defaultDeny, allowDns, resourceQuota, limitRange, serviceAccount } = this;
    return [namespace, roleBinding, defaultDeny, allowDns, resourceQuota, limitRange, serviceAccount].map(toManifest);
  }
}
