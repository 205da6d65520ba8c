import { type GoldenCase, tentacleCase } from './case.ts';

const nats = { nats: { host: 'nats.tentacular-support.svc.cluster.local', port: 4222 } };

export const triggerCases: readonly GoldenCase[] = [
  tentacleCase('trigger-none', 'no triggers: the same as manual, nothing in the annotations', {}),
  tentacleCase('trigger-manual', 'a manual trigger leaves no trace in the annotations', {
    workflow: { triggers: [{ type: 'manual' }] },
  }),
  tentacleCase('trigger-cron', 'one schedule is the bare expression, no policy', {
    workflow: { triggers: [{ type: 'cron', schedule: '0 9 * * *' }] },
  }),
  tentacleCase('trigger-cron-policies', 'time zone and policies of the one schedule without a name', {
    workflow: {
      triggers: [
        {
          type: 'cron',
          schedule: '30 2 * * *',
          timezone: 'Europe/Berlin',
          overlap: 'allow',
          catchUp: { mode: 'all', window: '6h', max: 10 },
          jitter: '30s',
          deadline: '5m',
        },
      ],
    },
  }),
  tentacleCase('trigger-cron-several', 'several schedules are joined by name; policies by name; catchUp in short', {
    workflow: {
      triggers: [
        { type: 'cron', name: 'daily', schedule: '0 9 * * MON-FRI', catchUp: 'last' },
        { type: 'cron', name: 'hourly', schedule: '@hourly' },
      ],
    },
  }),
  tentacleCase('trigger-cron-zone-prefix', 'a time zone inside the expression stays there', {
    workflow: { triggers: [{ type: 'cron', schedule: 'CRON_TZ=Asia/Tokyo 0 8 1,15 * ?' }] },
  }),
  tentacleCase('trigger-cron-every', 'a fixed period', {
    workflow: { triggers: [{ type: 'cron', schedule: '@every 90s' }] },
  }),
  tentacleCase(
    'trigger-queue',
    'a queue trigger opens NATS and nothing else; its credentials come from the exoskeleton',
    {
      workflow: {
        triggers: [{ type: 'queue', subject: 'orders.created' }],
        contract: { version: '1', dependencies: { 'tentacular-nats': null } },
      },
      options: { exoskeleton: nats },
    },
  ),
];
