/** Value of `app.kubernetes.io/managed-by` on everything that we make; without it an object is not ours. */
export const managedBy = 'tentacular';

export const labelKeys = {
  managedBy: 'app.kubernetes.io/managed-by',
  name: 'app.kubernetes.io/name',
  version: 'app.kubernetes.io/version',
  component: 'app.kubernetes.io/component',
  enclave: 'tentacular.io/enclave',
  tentacle: 'tentacular.io/tentacle',
} as const;

export type Component = 'tentacle' | 'enclave' | 'module-proxy';

/** Labels of an enclave's own objects. */
export function enclaveLabels(enclave: string): Record<string, string> {
  return {
    [labelKeys.managedBy]: managedBy,
    [labelKeys.name]: enclave,
    [labelKeys.component]: 'enclave' satisfies Component,
    [labelKeys.enclave]: enclave,
  };
}

/** Labels of a tentacle's objects and pods; `+` of a semver build becomes `_`, which a label value allows. */
export function tentacleLabels(enclave: string, tentacle: string, version: string): Record<string, string> {
  return {
    [labelKeys.managedBy]: managedBy,
    [labelKeys.name]: tentacle,
    [labelKeys.version]: version.replaceAll('+', '_'),
    [labelKeys.component]: 'tentacle' satisfies Component,
    [labelKeys.enclave]: enclave,
    [labelKeys.tentacle]: tentacle,
  };
}

/** The labels by which Services, Deployments and policies select a tentacle's pods: these two and no other. */
export function tentacleSelector(enclave: string, tentacle: string): Record<string, string> {
  return { [labelKeys.enclave]: enclave, [labelKeys.tentacle]: tentacle };
}
