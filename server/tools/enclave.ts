import { annotationKeys } from '../../constructs/model/annotations.ts';
import { invalidInput } from '../../constructs/model/errors.ts';
import { labelKeys, managedBy } from '../../constructs/model/labels.ts';
import { enclaveDeprovision, enclaveInfo, enclaveList } from '../api/enclave.ts';
import { enclaveScope } from '../authz/scope.ts';
import { type CallOptions, isEnclave } from '../cluster/index.ts';
import { annotationsOf } from './admission.ts';
import type { ToolDependencies } from './dependencies.ts';
import { enclaveRow, membersIn, quotaUse } from './enclave-row.ts';
import { pageOf, rowsWithin } from './page.ts';
import type { Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

export function infoTool({ cluster }: ToolDependencies): Tool<'enclave_info'> {
  return {
    name: 'enclave_info',
    title: 'Describe an enclave',
    description: [
      'Tells everything about one enclave: owner, members, permissions, state, quota in use and left, number of tentacles, and what you are to it.',
      'Use it before you apply into an enclave, and when something does not fit into the quota. For all enclaves at once use enclave_list.',
    ].join('\n'),
    ...enclaveInfo,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube, principal }) {
      const namespace = await admission.enclave('enclave_info', input.name);
      const inside = { namespace: input.name, labels: { [labelKeys.managedBy]: managedBy } };
      const [quotas, tentacles] = await Promise.all([
        cluster.reader.list({ apiVersion: 'v1', kind: 'ResourceQuota', ...inside }, kube),
        cluster.reader.list({ apiVersion: 'apps/v1', kind: 'Deployment', ...inside, metadataOnly: true }, kube),
      ]);
      const updatedAt = annotationsOf(namespace)[annotationKeys.updatedAt];
      return {
        ...enclaveRow(namespace),
        exo_services: {},
        member_count: membersIn(namespace).length,
        tentacle_count: tentacles.filter((tentacle) => admission.may('wf_status', namespace, tentacle)).length,
        quota: quotaUse(quotas),
        ...(updatedAt ? { updated_at: cleanText(updatedAt, textLimits.field) } : {}),
        caller_role: principal.kind === 'token' ? 'bearer' : enclaveScope(principal, annotationsOf(namespace)),
      };
    },
  };
}

export function listTool({ cluster }: ToolDependencies): Tool<'enclave_list'> {
  return {
    name: 'enclave_list',
    title: 'List enclaves',
    description: [
      'Lists the enclaves that you may read, with owner, members, permissions and state.',
      'Use it first, to find out where you may work. For quota and counts of one enclave use enclave_info; for the tentacles in them wf_list.',
    ].join('\n'),
    ...enclaveList,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission, kube }) {
      admission.general('enclave_list');
      const labels = { [labelKeys.managedBy]: managedBy };
      const namespaces = await cluster.reader.list({ apiVersion: 'v1', kind: 'Namespace', labels }, kube);
      const rows = namespaces
        .filter(isEnclave)
        .filter((namespace) => admission.may('enclave_info', namespace))
        .map(enclaveRow)
        .filter((row) => input.status === 'all' || row.status === input.status)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const { rows: enclaves, ...cursor } = pageOf(rows, (row) => row.name, input);
      return { enclaves, total: rows.length, ...cursor };
    },
  };
}

export function deprovisionTool({ cluster, now }: ToolDependencies): Tool<'enclave_deprovision'> {
  return {
    name: 'enclave_deprovision',
    title: 'Deprovision an enclave',
    description: [
      'Deletes an enclave for good: its namespace with every tentacle, revision, Secret and whatever else is in it.',
      'Only on the explicit wish of the owner. Call it with dry_run: true first and show what would go; then with confirm: true. To take away a single tentacle use wf_remove.',
      'Waits up to timeout_seconds until the namespace is gone; namespace_deleted: false means that the deletion goes on by itself.',
    ].join('\n'),
    ...enclaveDeprovision,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    mayLast: true,
    async run(input, { admission, kube, progress }) {
      if (!input.dry_run && input.confirm !== true) throw unconfirmed(input.name);
      await admission.enclave('enclave_deprovision', input.name);
      progress(`deleting the enclave ${input.name}`);
      const result = await cluster.deprovision(input.name, {
        dryRun: input.dry_run,
        waitMs: input.timeout_seconds * 1000,
        admit: (namespace) => admission.still('enclave_deprovision', namespace),
        call: kube,
      });
      const objects = input.dry_run ? await objectsInside(cluster, input.name, kube) : undefined;
      return {
        name: input.name,
        dry_run: input.dry_run,
        tentacles_removed: rowsWithin(result.tentacles, namesBudget),
        ...(objects ? { objects } : {}),
        exo_cleanup: {},
        namespace_deleted: result.namespaceDeleted,
        ...(result.namespaceDeleted ? { deprovisioned_at: new Date(now()).toISOString() } : {}),
        ...(result.namespaceDeleted || input.dry_run ? {} : { next_step: 'Call enclave_info: not_found means gone.' }),
      };
    },
  };
}

function unconfirmed(name: string): Error {
  return invalidInput(`Deprovisioning the enclave "${name}"`, [
    {
      path: 'confirm',
      message: 'must be true: everything in the enclave is deleted for good',
      hint: 'call with dry_run: true first to see what would go',
    },
  ]);
}

/** Kinds that we put into an enclave, as a dry run lists them. */
const ownKinds = [
  ['apps/v1', 'Deployment'],
  ['v1', 'Service'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'ServiceAccount'],
  ['v1', 'ResourceQuota'],
  ['v1', 'LimitRange'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
] as const;
/** Characters that the names in one reply may take; a larger enclave is told in part. */
const namesBudget = 20_000;

async function objectsInside(cluster: ToolDependencies['cluster'], namespace: string, kube: CallOptions) {
  const labels = { [labelKeys.managedBy]: managedBy };
  const lists = await Promise.all(
    ownKinds.map(([apiVersion, kind]) =>
      cluster.reader.list({ apiVersion, kind, namespace, labels, metadataOnly: true }, kube),
    ),
  );
  const named = lists.flatMap((list, index) =>
    list.map(({ metadata }) => `${ownKinds[index]?.[1]}/${namespace}/${metadata.name}`),
  );
  return rowsWithin([`Namespace/${namespace}`, ...named], namesBudget);
}
