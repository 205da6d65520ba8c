import { annotationKeys } from '../../constructs/model/annotations.ts';
import { TentacularError } from '../../constructs/model/errors.ts';
import { labelKeys } from '../../constructs/model/labels.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { isSameAddress } from '../../constructs/model/members.ts';
import { wfList } from '../api/status.ts';
import type { ToolInput, ToolOutput } from '../api/tools.ts';
import { tentacleModeOf } from '../authz/scope.ts';
import type { ClusterCache } from '../cluster/index.ts';
import { type Admission, annotationsOf } from './admission.ts';
import type { ToolDependencies } from './dependencies.ts';
import { deploymentState } from './deployment-state.ts';
import { ageOf } from './describe-time.ts';
import { hasRetiredAnnotations } from './ownership.ts';
import { pageOf } from './page.ts';
import type { Tool } from './tool.ts';
import { cleanText, textLimits } from './untrusted.ts';

type Row = ToolOutput<'wf_list'>['workflows'][number];

export function listTentaclesTool({ cluster, now }: ToolDependencies): Tool<'wf_list'> {
  return {
    name: 'wf_list',
    title: 'List tentacles',
    description: [
      'Lists the tentacles that you may read, in one enclave or in all: owner, version, mode, schedules, and whether they are up.',
      'Use it to find a tentacle or to look over an enclave. For one of them in depth use wf_status, for its runs wf_runs.',
    ].join('\n'),
    ...wfList,
    annotations: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
    mayLast: false,
    async run(input, { admission }) {
      if (input.enclave === undefined) admission.general('wf_list');
      else await admission.enclave('wf_list', input.enclave);
      const visible = readable(filled(cluster.cache), input, admission).filter((found) => isOf(found, input.owner));
      const rows = visible
        .map((deployment) => ({ ...rowOf(deployment, now()), mode: modeOf(cluster.cache, deployment) }))
        .filter(({ tags }) => input.tag === undefined || tags.includes(input.tag));
      const { rows: workflows, ...cursor } = pageOf(rows, (row) => `${row.enclave}/${row.name}`, input);
      return { workflows, total: rows.length, ...cursor };
    },
  };
}

function filled(cache: ClusterCache): ClusterCache {
  if (cache.ready) return cache;
  throw new TentacularError('unavailable', 'The server has not yet read what is in the cluster.', {
    hint: 'Call again in a few seconds.',
  });
}

/** Deployments that the caller may read, sorted by enclave and name. */
function readable(cache: ClusterCache, input: ToolInput<'wf_list'>, admission: Admission): Manifest[] {
  return cache
    .deployments(input.enclave)
    .filter((deployment) => {
      const enclave = cache.enclave(deployment.metadata.namespace ?? '');
      return enclave !== undefined && admission.may('wf_status', enclave, deployment);
    })
    .sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

function sortKey({ metadata }: Manifest): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** An owner is known by e-mail or by subject. */
function isOf(deployment: Manifest, owner: string | undefined): boolean {
  if (owner === undefined) return true;
  const annotations = annotationsOf(deployment);
  return isSameAddress(annotations[annotationKeys.ownerEmail], owner) || annotations[annotationKeys.ownerSub] === owner;
}

/** The mode that counts, whatever the annotation says. */
function modeOf(cache: ClusterCache, deployment: Manifest): string {
  const enclave = cache.enclave(deployment.metadata.namespace ?? '');
  return tentacleModeOf(enclave ? annotationsOf(enclave) : {}, annotationsOf(deployment));
}

function rowOf(deployment: Manifest, now: number): Row {
  const { metadata } = deployment;
  const annotations = annotationsOf(deployment);
  const text = (key: keyof typeof annotationKeys, limit: number = textLimits.field) => {
    const value = annotations[annotationKeys[key]];
    return value === undefined || value === '' ? undefined : cleanText(value, limit);
  };
  const state = deploymentState(deployment);
  const createdAt = text('createdAt') ?? metadata.creationTimestamp;
  const version = metadata.labels?.[labelKeys.version];
  const optional = {
    description: text('description', textLimits.message),
    version: version?.replaceAll('_', '+'),
    owner: text('ownerEmail') ?? text('ownerSub'),
    environment: text('environment'),
    cron: text('cronSchedule', textLimits.message),
    created_at: createdAt,
    deployed_by: text('deployedBy'),
    deployed_via: text('deployedVia'),
  };
  const given = Object.fromEntries(Object.entries(optional).filter((entry) => entry[1] !== undefined));
  return {
    ...given,
    name: metadata.name,
    enclave: metadata.namespace ?? '',
    tags: tagsOf(annotations[annotationKeys.tags]),
    ready: state.ready,
    replicas: state.replicas,
    available: state.available,
    health: state.health,
    age: ageOf(createdAt, now),
    ...(hasRetiredAnnotations(deployment) ? { retired_annotations: true } : {}),
  };
}

function tagsOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((tag) => cleanText(tag.trim(), textLimits.field))
    .filter((tag) => tag !== '')
    .slice(0, 50);
}
