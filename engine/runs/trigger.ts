import type { TriggerInfo } from '../api.ts';

/** What the header `x-tentacular-trigger` may hold, in words for error messages. */
export const triggerRule = 'manual, cron, cron:<name> (a lower-case DNS label) or queue:<subject>';

const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subject = /^[!-~]{1,255}$/;

/** The trigger that a header names; undefined if it is none. */
export function parseTrigger(header: string): TriggerInfo | undefined {
  if (header === 'manual') return { type: 'manual' };
  if (header === 'cron') return { type: 'cron' };
  const [, kind, rest = ''] = /^(cron|queue):(.*)$/.exec(header) ?? [];
  if (kind === 'cron' && dnsLabel.test(rest)) return { type: 'cron', name: rest };
  if (kind === 'queue' && subject.test(rest)) return { type: 'queue', subject: rest };
  return undefined;
}

/** The form of the header. */
export function describeTrigger(trigger: TriggerInfo): string {
  const detail = trigger.name ?? trigger.subject;
  return detail === undefined ? trigger.type : `${trigger.type}:${detail}`;
}
