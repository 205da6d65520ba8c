import type { Context } from 'tentacular';

/** A node with one upstream gets its output as it is. */
export default async function shout(_ctx: Context, input: { text: string }) {
  return { text: input.text.toUpperCase() };
}
