import { annotationKeys } from '../model/annotations.ts';
import { canonicalJson, type JsonObject } from '../model/json.ts';
import type { CronTrigger } from '../workflow/workflow.ts';
import type { ResolvedTentacle } from './resolve.ts';

/** What the Deployment says about its workflow: everything but `spec-hash` and the stamps of an apply. */
export function deploymentAnnotations({
  workflow,
  gitSha,
  gitUrl,
  managedByGit,
}: ResolvedTentacle): Record<string, string> {
  const crons = workflow.triggers.filter((trigger) => trigger.type === 'cron');
  const policy = schedulePolicy(crons);
  const values: Record<string, string | undefined> = {
    [annotationKeys.description]: workflow.description,
    [annotationKeys.tags]: workflow.tags?.join(','),
    [annotationKeys.environment]: workflow.environment,
    [annotationKeys.cronSchedule]: cronSchedule(crons),
    [annotationKeys.schedulePolicy]: policy,
    [annotationKeys.gitSha]: gitSha,
    [annotationKeys.gitUrl]: gitUrl,
    [annotationKeys.managedByGit]: managedByGit ? 'true' : undefined,
    [annotationKeys.mode]: managedByGit ? workflow.deployment.mode : undefined,
  };
  const present = Object.entries(values).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(present);
}

/** `0 9 * * *`, or `daily=0 9 * * *; hourly=0 * * * *`; undefined without schedules. */
function cronSchedule(crons: readonly CronTrigger[]): string | undefined {
  if (crons.length === 0) return undefined;
  return crons.map(({ name, schedule }) => (name === undefined ? schedule : `${name}=${schedule}`)).join('; ');
}

/** The policies that a workflow states, by name of the trigger (`""` for the one without); undefined if it states none. */
function schedulePolicy(crons: readonly CronTrigger[]): string | undefined {
  const policies: JsonObject = {};
  for (const { name = '', timezone, overlap, catchUp, jitter, deadline } of crons) {
    const policy: JsonObject = { timezone, overlap, catchUp: catchUp && { ...catchUp }, jitter, deadline };
    if (Object.values(policy).some((value) => value !== undefined)) policies[name] = policy;
  }
  return Object.keys(policies).length === 0 ? undefined : canonicalJson(policies);
}
