import { baseOptions, type GoldenCase, tentacleCase } from './case.ts';

const sidecar = { name: 'helper', image: 'registry.example.com/helper:2.1', port: 9000 };
const otlp = {
  endpoint: 'http://collector.observability.svc.cluster.local:4318',
  namespace: 'observability',
  port: 4318,
};

export const podCases: readonly GoldenCase[] = [
  tentacleCase('sidecar-http', 'a sidecar that is judged by its health path', {
    workflow: { sidecars: [{ ...sidecar, protocol: 'http', healthPath: '/healthz' }] },
  }),
  tentacleCase('sidecar-plain', 'a sidecar without a health path is judged by its port', {
    workflow: { sidecars: [sidecar] },
  }),
  tentacleCase('sidecar-grpc', 'a gRPC sidecar is judged by the gRPC health service', {
    workflow: { sidecars: [{ ...sidecar, protocol: 'grpc' }] },
  }),
  tentacleCase(
    'sidecar-two',
    'two sidecars: each its own /tmp, port, resources; env in the order of names; command and args',
    {
      workflow: {
        sidecars: [
          { ...sidecar, env: { ZONE: 'a', LEVEL: 'on' }, command: ['/helper'], args: ['--port', '9000'] },
          {
            name: 'proxy',
            image: `registry.example.com/proxy@sha256:${'ab'.repeat(32)}`,
            port: 9001,
            resources: { limits: { cpu: '20m', memory: '32Mi' } },
          },
        ],
      },
    },
  ),
  tentacleCase('runtime-class', 'the pod runs under the runtime class of the options', {
    options: { runtimeClassName: 'gvisor' },
  }),
  tentacleCase('resources', 'requests and limits of the workflow, in canonical form', {
    workflow: {
      deployment: {
        resources: { requests: { cpu: 0.25, memory: '0.5Gi' }, limits: { cpu: '2000m', memory: '1024Mi' } },
      },
    },
  }),
  tentacleCase('resources-request-above-default-limit', 'a request above the default limit raises it', {
    workflow: { deployment: { resources: { requests: { cpu: '1', memory: '1Gi' } } } },
  }),
  tentacleCase('resources-limit-below-default-request', 'a limit below the default request lowers it', {
    workflow: { deployment: { resources: { limits: { cpu: '20m', memory: '64Mi' } } } },
  }),
  tentacleCase('image-of-workflow', 'an engine image that the workflow names and the options allow', {
    workflow: { deployment: { image: 'registry.example.com/tentacular-engine:0.2.0-rc.1' } },
    options: { allowedEngineImages: ['registry.example.com/tentacular-engine:*'] },
  }),
  tentacleCase('image-of-caller', 'the caller’s image comes before the workflow’s', {
    workflow: { deployment: { image: 'registry.example.com/tentacular-engine:0.2.0' } },
    source: { image: 'registry.example.com/tentacular-engine:0.3.0' },
    options: { allowedEngineImages: ['registry.example.com/tentacular-engine:*'] },
  }),
  tentacleCase('image-pull', 'pull secrets and policy of the options, for engine and sidecars', {
    workflow: { sidecars: [sidecar] },
    options: { imagePullSecrets: ['registry-a', 'registry-b'], imagePullPolicy: 'Always' },
  }),
  tentacleCase('placement', 'node selector and tolerations of the options', {
    options: {
      nodeSelector: { 'kubernetes.io/arch': 'amd64', pool: 'tentacles' },
      tolerations: [
        { key: 'tentacles', operator: 'Equal', value: 'only', effect: 'NoSchedule' },
        { key: 'spot', operator: 'Exists' },
      ],
    },
  }),
  tentacleCase('timeout', 'the grace period is above the timeout of the whole run', {
    workflow: { config: { timeout: '10m', region: 'eu' } },
  }),
  tentacleCase('otlp', 'a collector: egress, flag and environment', { options: { otlp } }),
  tentacleCase('dns-by-address', 'NodeLocal DNSCache has an address, no labels', {
    options: { dns: { cidrs: ['169.254.20.10/32'] } },
  }),
  tentacleCase('dns-other-port', 'OpenShift’s DNS pods listen on another port', {
    options: { dns: { namespaceLabels: { 'kubernetes.io/metadata.name': 'openshift-dns' }, port: 5353 } },
  }),
  tentacleCase('control-plane-elsewhere', 'ingress is from this control plane and no other', {
    options: {
      controlPlane: { ...baseOptions.controlPlane, namespace: 'platform', podLabels: { app: 'mcp', tier: 'control' } },
    },
  }),
];
