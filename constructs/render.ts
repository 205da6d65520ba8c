import { createHash } from 'node:crypto';
import { Enclave } from './enclave/enclave.ts';
import { digestOf } from './k8s/digest.ts';
import { App, Chart } from './k8s/l1.ts';
import { toBase64 } from './model/bytes.ts';
import { invalidInput } from './model/errors.ts';
import { canonicalJson, type JsonObject } from './model/json.ts';
import { labelKeys, tentacleLabels } from './model/labels.ts';
import { describeObject, type Manifest } from './model/manifest.ts';
import type { RendererOptions } from './model/options.ts';
import type { EnclaveSource, RenderedEnclave, RenderedTentacle, TentacleSource } from './source.ts';
import { decodeKey, sourceText } from './tentacle/code.ts';
import { Tentacle } from './tentacle/tentacle.ts';
import { isIdentifier } from './workflow/rules.ts';

/**
 * The set of one tentacle. Same source and options, same bytes, whatever the order of files or of keys in options.
 * @throws TentacularError `invalid_input` with every fault of workflow, files and options at once.
 */
export function renderTentacle(source: TentacleSource, options: RendererOptions): RenderedTentacle {
  const tentacle = new Tentacle(freshChart(), 'tentacle', { ...source, options });
  const { enclave, name, workflow, warnings } = tentacle.resolved;
  const { manifests, specHash } = tentacle.render();
  return {
    enclave,
    name,
    version: workflow.version,
    workflow,
    manifests,
    specHash,
    sourceHash: createHash('sha256').update(sourceText(source.workflow, source.files)).digest('hex'),
    secretServices: secretServices(tentacle),
    warnings,
  };
}

/**
 * The set of one enclave.
 * @throws TentacularError `invalid_input` with every fault at once.
 */
export function renderEnclave(source: EnclaveSource, options: RendererOptions): RenderedEnclave {
  const manifests = new Enclave(freshChart(), 'enclave', { ...source, options }).render();
  return { name: source.name, manifests, specHash: digestOf([...manifests]) };
}

// cdk8s remembers what was added to an App: one for each rendering keeps them apart.
function freshChart(): Chart {
  return new Chart(new App(), 'set', { disableResourceNameHashes: true });
}

function secretServices({ resolved }: Tentacle): string[] {
  const services = Object.values(resolved.workflow.contract.dependencies).flatMap((dependency) =>
    dependency.type === 'host' && dependency.auth ? [dependency.auth.secret.split('.', 1)[0] ?? ''] : [],
  );
  return [...new Set(services)].sort();
}

/** Most bytes of all values of one Secret: the API server's limit. */
const maxSecretBytes = 1_048_576;

/**
 * `<name>-secrets`: one key a service, its value a JSON object that the engine reads from `/app/secrets/<service>`.
 * Part of no rendered set: values never meet a hash, a revision or a golden.
 * @throws TentacularError `invalid_input` where a service cannot be a file's name, or it is too large; never with a value.
 */
export function renderSecret(
  enclave: string,
  name: string,
  version: string,
  data: Readonly<Record<string, JsonObject>>,
): Manifest {
  const services = Object.keys(data).sort();
  const faults = services
    .filter((service) => !isIdentifier(service))
    .map((service) => ({
      path: 'secrets',
      message: 'has a name that is no service',
      found: service.slice(0, 80),
      allowed: 'letters, digits, - and _, a letter first',
    }));
  const encoded = Object.fromEntries(services.map((service) => [service, toBase64(canonicalJson(data[service]))]));
  const bytes = Object.values(encoded).reduce((sum, text) => sum + Math.floor((text.length * 3) / 4), 0);
  if (bytes > maxSecretBytes)
    faults.push({
      path: 'secrets',
      message: 'are too large',
      found: `${bytes} bytes`,
      allowed: `at most ${maxSecretBytes} bytes`,
    });
  if (faults.length > 0) throw invalidInput(`secrets of ${name}`, faults);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-secrets`, namespace: enclave, labels: tentacleLabels(enclave, name, version) },
    type: 'Opaque',
    data: encoded,
  };
}

/**
 * The source inside a code ConfigMap: workflow.yaml and the files, without what rendering added.
 * @throws TentacularError `invalid_input` where the object is no code of a tentacle.
 */
export function readCode(configMap: Manifest): {
  readonly workflow: string;
  readonly files: Readonly<Record<string, string>>;
} {
  const files: Record<string, string> = {};
  for (const [key, text] of Object.entries(configMap.data ?? {})) {
    const path = decodeKey(key);
    if (path !== undefined && typeof text === 'string') files[path] = text;
  }
  const { 'workflow.yaml': workflow, 'import_map.json': _rendered, ...rest } = files;
  if (workflow === undefined || configMap.metadata.labels?.[labelKeys.tentacle] === undefined) {
    throw invalidInput(describeObject(configMap), [{ path: 'data', message: 'holds no workflow.yaml of a tentacle' }]);
  }
  return { workflow, files: rest };
}
