import { createHmac } from 'node:crypto';
import type { Context } from 'tentacular';

/** The value behind `auth.secret` is read afresh each time, so a rotation needs no restart. */
export default async function sign(ctx: Context, input: { text?: string }) {
  const { secret } = ctx.dependency('echo');
  if (typeof secret !== 'string') throw new Error('the secret notary.token is not a text');
  const text = input.text ?? 'the quick brown fox';
  return { text, signature: createHmac('sha256', secret).update(text).digest('hex') };
}
