import type { Context } from 'tentacular';

/** A root node gets the input of the run; `{}` where the caller sent none. */
export default async function greet(ctx: Context, input: { name?: string }) {
  const name = input.name ?? 'world';
  ctx.log.info('greeting', { name });
  return { text: `hello ${name}` };
}
