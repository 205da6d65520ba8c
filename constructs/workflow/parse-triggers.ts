import { cronRule, parseCron } from '../model/cron.ts';
import { durationRule, parseDuration } from '../model/duration.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { isTimeZone } from '../model/zone.ts';
import type { Reader } from './reader.ts';
import type { CronTrigger, Trigger } from './workflow.ts';
import { childPath } from './yaml-source.ts';

const triggerTypes = ['manual', 'cron', 'queue'] as const;
const triggerName = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;
const cronKeys = ['type', 'schedule', 'name', 'timezone', 'overlap', 'catchUp', 'jitter', 'deadline'];
// NATS: tokens between dots; `*` stands for one token, `>` for all that follow.
const subjectPattern = /^(?:[-A-Za-z0-9_$]+|\*)(?:\.(?:[-A-Za-z0-9_$]+|\*))*(?:\.>)?$/;
/** Most occurrences that one catch-up fires (schedule.md). */
const maxCatchUp = 100;

/**
 * `triggers`; `manual` alone where there are none. Several cron triggers need names of their own.
 * @param dependencies Names of the contract: a queue needs NATS.
 */
export function parseTriggers(
  reader: Reader,
  value: JsonValue | undefined,
  dependencies: readonly string[],
): Trigger[] {
  const triggers: Trigger[] = [];
  const names = new Map<string, number>();
  const items = reader.list(value, 'triggers', { max: 50 });
  for (const [index, item] of items.entries()) {
    const path = childPath('triggers', index);
    const any = reader.mapping(item, path);
    const type = any && reader.oneOf(any.type, `${path}.type`, triggerTypes);
    if (type === 'manual') {
      reader.fields(item, path, ['type']);
      triggers.push({ type });
    } else if (type === 'queue') {
      const fields = reader.fields(item, path, ['type', 'subject']);
      const allowed = 'a NATS subject like orders.created, orders.* or orders.>';
      const subject = reader.text(fields?.subject, `${path}.subject`, { max: 200, pattern: subjectPattern, allowed });
      if (subject !== undefined) triggers.push({ type, subject });
      if (!dependencies.includes('tentacular-nats')) {
        const hint = 'add the bare key tentacular-nats to contract.dependencies';
        reader.fault(path, 'needs NATS, which the contract does not name', { found: type, hint });
      }
    } else if (type === 'cron') {
      const trigger = parseCronTrigger(reader, reader.fields(item, path, cronKeys), path);
      if (!trigger) continue;
      const name = trigger.name ?? '';
      const before = names.get(name);
      if (before !== undefined) {
        const message =
          trigger.name === undefined ? 'is the second cron trigger without a name' : 'is the name of another trigger';
        const allowed = 'a name of its own for each of several cron triggers';
        reader.fault(`${path}.name`, message, {
          allowed,
          ...(trigger.name === undefined ? {} : { found: trigger.name }),
        });
      }
      names.set(name, index);
      triggers.push(trigger);
    }
  }
  if (names.size > 1 && names.has('')) {
    const path = `${childPath('triggers', names.get('') ?? 0)}.name`;
    reader.fault(path, 'is missing', { allowed: 'a name of its own for each of several cron triggers' });
  }
  return items.length === 0 ? [{ type: 'manual' }] : triggers;
}

function parseCronTrigger(reader: Reader, fields: JsonObject | undefined, path: string): CronTrigger | undefined {
  if (!fields) return undefined;
  const zone =
    fields.timezone === undefined ? undefined : reader.text(fields.timezone, `${path}.timezone`, { max: 64 });
  const zoneKnown = zone === undefined || isTimeZone(zone);
  if (!zoneKnown) {
    reader.fault(`${path}.timezone`, 'is no known time zone', {
      found: zone,
      allowed: 'an IANA time zone like Europe/Berlin',
    });
  }
  const schedule = reader.text(fields.schedule, `${path}.schedule`, { max: 256, allowed: cronRule });
  if (schedule !== undefined) {
    const { fault } = parseCron(schedule, zoneKnown ? zone : undefined);
    if (fault) reader.fault(`${path}.schedule`, fault.message, { found: fault.found, allowed: fault.allowed });
  }
  const name =
    fields.name === undefined
      ? undefined
      : reader.text(fields.name, `${path}.name`, {
          max: 63,
          pattern: triggerName,
          allowed: 'a lower-case DNS label like daily',
        });
  const overlap =
    fields.overlap === undefined
      ? undefined
      : reader.oneOf(fields.overlap, `${path}.overlap`, ['skip', 'allow'] as const);
  const jitter = durationText(reader, fields.jitter, `${path}.jitter`);
  const deadline = durationText(reader, fields.deadline, `${path}.deadline`);
  const catchUp = fields.catchUp === undefined ? undefined : parseCatchUp(reader, fields.catchUp, `${path}.catchUp`);
  return {
    type: 'cron',
    schedule: schedule ?? '',
    ...(name === undefined ? {} : { name }),
    ...(zone === undefined ? {} : { timezone: zone }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(catchUp === undefined ? {} : { catchUp }),
    ...(jitter === undefined ? {} : { jitter }),
    ...(deadline === undefined ? {} : { deadline }),
  };
}

const catchUpModes = ['none', 'last', 'all'] as const;

// `catchUp: last` for short, or a mapping with the window and the bound.
function parseCatchUp(reader: Reader, value: JsonValue, path: string): NonNullable<CronTrigger['catchUp']> | undefined {
  if (typeof value === 'string') {
    const mode = reader.oneOf(value, path, catchUpModes);
    return mode === undefined ? undefined : { mode };
  }
  const fields = reader.fields(value, path, ['mode', 'window', 'max']);
  if (!fields) return undefined;
  const mode = reader.oneOf(fields.mode, `${path}.mode`, catchUpModes);
  const window = durationText(reader, fields.window, `${path}.window`);
  const max =
    fields.max === undefined ? undefined : reader.integer(fields.max, `${path}.max`, { min: 1, max: maxCatchUp });
  if (mode === undefined) return undefined;
  return { mode, ...(window === undefined ? {} : { window }), ...(max === undefined ? {} : { max }) };
}

function durationText(reader: Reader, value: JsonValue | undefined, path: string): string | undefined {
  if (value === undefined) return undefined;
  const text = reader.text(value, path, { max: 64, allowed: durationRule });
  if (text !== undefined && parseDuration(text) === undefined) {
    reader.fault(path, 'is no duration', { found: text, allowed: durationRule });
  }
  return text;
}
