import {
  type Container,
  type EnvVar,
  IntOrString,
  type PodSpec,
  type Probe,
  Quantity,
  type Volume,
  type VolumeMount,
} from '../k8s/l1.ts';
import { containerSecurity, podSecurity } from '../k8s/pod-security.ts';
import { engineCommand, enginePaths, enginePort } from '../workflow/engine-flags.ts';
import { engineContainerName } from '../workflow/parse-sidecars.ts';
import type { Sidecar } from '../workflow/workflow.ts';
import { encodeKey } from './code.ts';
import type { ResolvedTentacle } from './resolve.ts';
import { resourcesOf } from './resources.ts';

/** The ServiceAccount that every enclave has for its tentacles: no role, no token. */
export const tentacleServiceAccount = 'tentacle';

const engineHome = '/engine';
const engineTmpSize = '128Mi';
const sidecarTmpSize = '64Mi';
/** What a pod gets beyond the workflow's timeout to finish and leave, in seconds. */
const graceBeyondTimeout = 15;

/** The pod of a tentacle: engine and sidecars, hardened alike. */
export function podSpec(tentacle: ResolvedTentacle, codeName: string): PodSpec {
  const { workflow, options } = tentacle;
  const { runtimeClassName, imagePullSecrets = [], nodeSelector = {}, tolerations = [] } = options;
  return {
    serviceAccountName: tentacleServiceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: podSecurity,
    terminationGracePeriodSeconds: Math.ceil(workflow.config.timeoutMs / 1000) + graceBeyondTimeout,
    ...(runtimeClassName === undefined ? {} : { runtimeClassName }),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector: { ...nodeSelector } }),
    ...(tolerations.length === 0
      ? {}
      : { tolerations: tolerations.map(({ value, ...rest }) => (value ? { ...rest, value } : rest)) }),
    containers: [engineContainer(tentacle), ...workflow.sidecars.map((sidecar) => sidecarContainer(sidecar, tentacle))],
    volumes: [
      codeVolume(tentacle, codeName),
      secretsVolume(tentacle),
      tmpVolume('tmp', engineTmpSize),
      ...workflow.sidecars.map(({ name }) => tmpVolume(`tmp-${name}`, sidecarTmpSize)),
    ],
  };
}

function engineContainer(tentacle: ResolvedTentacle): Container {
  const { workflow, options, code, image } = tentacle;
  const mounts: VolumeMount[] = [
    { name: 'code', mountPath: enginePaths.code, readOnly: true },
    { name: 'secrets', mountPath: enginePaths.secrets, readOnly: true },
    { name: 'tmp', mountPath: '/tmp' },
  ];
  const health = { httpGet: { path: '/health', port: IntOrString.fromNumber(enginePort) } };
  return {
    name: engineContainerName,
    image,
    imagePullPolicy: options.imagePullPolicy ?? 'IfNotPresent',
    command: engineCommand({ workflow, options, imports: code.imports }),
    env: engineEnvironment(tentacle),
    ports: [{ name: 'http', containerPort: enginePort }],
    resources: resourcesOf(workflow.deployment.resources),
    securityContext: containerSecurity,
    volumeMounts: mounts,
    // Up to five minutes to fetch modules; then a node that never yields ends in a restart after a minute.
    startupProbe: { ...health, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 300 },
    readinessProbe: { ...health, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { ...health, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  };
}

// A fixed list, in a fixed order: --allow-env names the same ones.
function engineEnvironment({ enclave, name, workflow, options, code }: ResolvedTentacle): EnvVar[] {
  const registry = code.imports.kind === 'registry' && options.moduleProxy;
  return [
    { name: 'TENTACULAR_ENCLAVE', value: enclave },
    { name: 'TENTACULAR_TENTACLE', value: name },
    { name: 'TENTACULAR_VERSION', value: workflow.version },
    { name: 'DENO_DIR', value: '/tmp/deno' },
    // Nobody can write there: Deno reads .npmrc from it, and fetches what that names past --allow-net.
    { name: 'HOME', value: engineHome },
    ...(registry ? [{ name: 'NPM_CONFIG_REGISTRY', value: registry.url }] : []),
    ...(options.otlp ? [{ name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: options.otlp.endpoint }] : []),
  ];
}

function sidecarContainer(sidecar: Sidecar, { options }: ResolvedTentacle): Container {
  const { name, image, port, command = [], args = [], env = {} } = sidecar;
  // What is empty is left out: the API server would not store it, and every comparison with it would find a drift.
  const variables = Object.keys(env)
    .sort()
    .map((key): EnvVar => (env[key] ? { name: key, value: env[key] } : { name: key }));
  const probe = sidecarProbe(sidecar);
  return {
    name,
    image,
    imagePullPolicy: options.imagePullPolicy ?? 'IfNotPresent',
    ...(command.length === 0 ? {} : { command: [...command] }),
    ...(args.length === 0 ? {} : { args: [...args] }),
    ...(variables.length === 0 ? {} : { env: variables }),
    ports: [{ containerPort: port }],
    resources: resourcesOf(sidecar.resources),
    securityContext: containerSecurity,
    volumeMounts: [{ name: `tmp-${name}`, mountPath: '/tmp' }],
    startupProbe: { ...probe, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 300 },
    readinessProbe: { ...probe, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 },
    livenessProbe: { ...probe, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
  };
}

function sidecarProbe({ protocol, port, healthPath }: Sidecar): Probe {
  if (protocol === 'grpc') return { grpc: { port } };
  const number = IntOrString.fromNumber(port);
  return healthPath === undefined ? { tcpSocket: { port: number } } : { httpGet: { path: healthPath, port: number } };
}

function codeVolume({ code }: ResolvedTentacle, codeName: string): Volume {
  const items = Object.keys(code.files)
    .sort()
    .map((path) => ({ key: encodeKey(path), path }));
  return { name: 'code', configMap: { name: codeName, items, defaultMode: 0o444 } };
}

// Optional: secrets may come later, or never. What the exoskeleton adds lives in a Secret of its own.
function secretsVolume({ name, workflow }: ResolvedTentacle): Volume {
  const exoskeleton = Object.values(workflow.contract.dependencies).some(({ type }) => type === 'exoskeleton');
  const own = { secret: { name: `${name}-secrets`, optional: true } };
  const sources = exoskeleton ? [own, { secret: { name: `${name}-exo`, optional: true } }] : [own];
  return { name: 'secrets', projected: { sources, defaultMode: 0o440 } };
}

function tmpVolume(name: string, sizeLimit: string): Volume {
  return { name, emptyDir: { sizeLimit: Quantity.fromString(sizeLimit) } };
}
