import type { PodSpec, SecurityContext } from './l1.ts';

/** `nobody`: the user and group of everything that runs in an enclave. */
const nobody = 65_534;

/** What Pod Security `restricted` asks of each container, and a root file system that cannot be written. */
export const containerSecurity: SecurityContext = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
};

/** What Pod Security `restricted` asks of a pod. `fsGroup` lets `nobody` read the mounted secrets. */
export const podSecurity: NonNullable<PodSpec['securityContext']> = {
  runAsNonRoot: true,
  runAsUser: nobody,
  runAsGroup: nobody,
  fsGroup: nobody,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** Labels that make the API server hold a namespace to `restricted`, as of a pinned version. */
export function podSecurityLabels(version: string): Record<string, string> {
  const prefix = 'pod-security.kubernetes.io';
  const modes = ['enforce', 'audit', 'warn'];
  return Object.fromEntries(
    modes.flatMap((mode) => [
      [`${prefix}/${mode}`, 'restricted'],
      [`${prefix}/${mode}-version`, version],
    ]),
  );
}

/** The oldest Kubernetes that the chart supports: every later one knows this version of the standards. */
export const defaultPodSecurityVersion = 'v1.30';
