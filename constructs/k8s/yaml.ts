import { Yaml } from 'cdk8s';
import type { Manifest } from '../model/manifest.ts';

/**
 * Objects as YAML documents for people and `kubectl`. In the words of YAML 1.1, as cdk8s writes it: what Kubernetes
 * reads with would take an unquoted `on` for a boolean and `12:30` for a number.
 */
export function manifestsToYaml(manifests: readonly Manifest[]): string {
  return Yaml.stringify(...manifests);
}
