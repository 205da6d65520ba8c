import type { Context } from 'tentacular';
import { sectionOf } from '../lib/section.ts';

/** One module behind two nodes: `ctx.node` says which of them is running. */
export default async function fetchSection(ctx: Context, input: { city: string }) {
  const echo = ctx.dependency('echo');
  const section = sectionOf(ctx.node);
  const response = await echo.fetch?.(`/${section}?city=${encodeURIComponent(input.city)}`);
  if (!response?.ok) throw new Error(`echo answered ${response?.status}`);
  const answer = (await response.json()) as { path: string; query: Record<string, string> };
  return { section, city: answer.query.city, path: answer.path };
}
