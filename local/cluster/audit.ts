import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Layout } from './layout.ts';

/** Bounds of the API server's audit log: this file and one before it. */
const MAX_LOG_MEGABYTES = 16;

/**
 * What workloads write, as a team that audits its cluster would record it: who, with which User-Agent, what; no content.
 * Kubernetes' own controllers, which write all the time, are left out, and so are all reads.
 */
const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [
    { level: 'None', userGroups: ['system:serviceaccounts:kube-system'] },
    {
      level: 'Metadata',
      userGroups: ['system:serviceaccounts'],
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection'],
    },
  ],
};

function policyPath(layout: Layout): string {
  return join(layout.etc, 'audit-policy.yaml');
}

/** Content of the audit policy, by path. */
export function auditFiles(layout: Layout): Record<string, string> {
  return { [policyPath(layout)]: stringify(policy) };
}

/** Flags of the API server, and the file that they name. */
export function audit(layout: Layout): { readonly args: readonly string[]; readonly configFiles: readonly string[] } {
  return {
    args: [
      ...['--audit-policy-file', policyPath(layout), '--audit-log-path', layout.auditLog],
      ...['--audit-log-maxsize', String(MAX_LOG_MEGABYTES), '--audit-log-maxbackup', '1'],
    ],
    configFiles: [policyPath(layout)],
  };
}
