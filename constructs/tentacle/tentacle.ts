import { Construct } from 'constructs';
import { digestOf } from '../k8s/digest.ts';
import { IntOrString, KubeConfigMap, KubeDeployment, KubeNetworkPolicy, KubeService, Lazy } from '../k8s/l1.ts';
import { labelSelector, namespaceNameLabel, toNetworkPolicyRule } from '../k8s/network.ts';
import { toManifest } from '../k8s/to-manifest.ts';
import { annotationKeys } from '../model/annotations.ts';
import { tentacleLabels, tentacleSelector } from '../model/labels.ts';
import type { Manifest } from '../model/manifest.ts';
import type { RendererOptions } from '../model/options.ts';
import type { TentacleSource } from '../source.ts';
import { enginePort } from '../workflow/engine-flags.ts';
import { deploymentAnnotations } from './annotations.ts';
import { encodeKey } from './code.ts';
import { podSpec } from './pod.ts';
import { type ResolvedTentacle, resolveTentacle } from './resolve.ts';

/** What a tentacle is made from: its source, and the options of the cluster that it is meant for. */
export interface TentacleProps extends TentacleSource {
  /** Everything about the cluster that has an influence: engine image, control plane, DNS, address ranges, ... */
  readonly options: RendererOptions;
}

/** Makes Argo CD apply an object server-side: its client-side way fails above 256 KiB. */
const argoServerSide = { 'argocd.argoproj.io/sync-options': 'ServerSideApply=true' };

/**
 * One workflow as a hardened workload: code ConfigMap, NetworkPolicy, Service, Deployment.
 * Secrets are referred to by name, never rendered.
 *
 * @throws TentacularError `invalid_input` with every fault of workflow, files and options.
 */
export class Tentacle extends Construct {
  /** The source after every check, with its defaults and warnings. */
  readonly resolved: ResolvedTentacle;
  /** `<name>-code-<hash>`: immutable, so that a running pod and its code never part. */
  readonly code: KubeConfigMap;
  readonly networkPolicy: KubeNetworkPolicy;
  readonly service: KubeService;
  readonly deployment: KubeDeployment;
  #rendering = false;

  constructor(scope: Construct, id: string, { options, ...source }: TentacleProps) {
    super(scope, id);
    this.resolved = resolveTentacle(source, options);
    const { enclave, name, workflow, code, egress } = this.resolved;
    const labels = tentacleLabels(enclave, name, workflow.version);
    const selector = tentacleSelector(enclave, name);
    const metadata = { name, namespace: enclave, labels };

    const data: Record<string, string> = {};
    for (const path of Object.keys(code.files).sort()) data[encodeKey(path)] = code.files[path] ?? '';
    const codeName = `${name}-code-${digestOf(data).slice(0, 9)}`;
    this.code = new KubeConfigMap(this, 'code', {
      metadata: { name: codeName, namespace: enclave, labels, annotations: argoServerSide },
      immutable: true,
      data,
    });
    const { controlPlane } = options;
    this.networkPolicy = new KubeNetworkPolicy(this, 'network-policy', {
      metadata,
      spec: {
        podSelector: { matchLabels: selector },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              {
                namespaceSelector: { matchLabels: { [namespaceNameLabel]: controlPlane.namespace } },
                podSelector: labelSelector(controlPlane.podLabels),
              },
            ],
            ports: [{ port: IntOrString.fromNumber(enginePort), protocol: 'TCP' }],
          },
        ],
        egress: egress.map(toNetworkPolicyRule),
      },
    });
    this.service = new KubeService(this, 'service', {
      metadata,
      spec: {
        type: 'ClusterIP',
        selector,
        ports: [{ name: 'http', port: enginePort, targetPort: IntOrString.fromNumber(enginePort), protocol: 'TCP' }],
      },
    });
    this.deployment = new KubeDeployment(this, 'deployment', {
      metadata: {
        ...metadata,
        annotations: {
          ...deploymentAnnotations(this.resolved),
          // Over the rendered set, so it is known only when that is: cdk8s asks when it writes the object.
          [annotationKeys.specHash]: Lazy.any({
            produce: () => (this.#rendering ? undefined : this.render().specHash),
          }),
        },
      },
      spec: {
        replicas: 1,
        selector: { matchLabels: selector },
        strategy: {
          type: 'RollingUpdate',
          rollingUpdate: { maxSurge: IntOrString.fromNumber(1), maxUnavailable: IntOrString.fromNumber(0) },
        },
        template: { metadata: { labels }, spec: podSpec(this.resolved, codeName) },
      },
    });
  }

  /** The set in the order of applying, the Deployment last with the hash over all of it. */
  render(): { readonly manifests: readonly Manifest[]; readonly specHash: string } {
    this.#rendering = true;
    try {
      const deployment = toManifest(this.deployment);
      const manifests = [...[this.code, this.networkPolicy, this.service].map(toManifest), deployment];
      const specHash = digestOf(manifests);
      const { annotations, ...metadata } = deployment.metadata;
      deployment.metadata = { annotations: { ...annotations, [annotationKeys.specHash]: specHash }, ...metadata };
      return { manifests, specHash };
    } finally {
      this.#rendering = false;
    }
  }
}
