import type { Context } from 'tentacular';

export default async function plan(_ctx: Context, input: { city?: string }) {
  return { city: input.city ?? 'Vienna' };
}
