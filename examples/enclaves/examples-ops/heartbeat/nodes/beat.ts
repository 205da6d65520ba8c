import type { Context } from 'tentacular';

/** A named cron trigger sends `{"trigger": "<name>"}`. */
export default async function beat(ctx: Context, input: { trigger?: string }) {
  const trigger = input.trigger ?? 'manual';
  ctx.log.info('beat', { trigger });
  return { trigger, message: ctx.config.greeting };
}
