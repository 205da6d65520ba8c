import type { Context } from 'tentacular';

/** Posts the signed text to the sidecar, and to the service in the cluster, where `fetch` adds the bearer token. */
export default async function inspect(ctx: Context, input: { text: string; signature: string }) {
  const body = JSON.stringify(input);
  const local = await ctx.dependency('inspector').fetch?.('/inspect', { method: 'POST', body });
  const remote = await ctx.dependency('echo').fetch?.('/submit', { method: 'POST', body });
  const seen = (await local?.json()) as { method: string; path: string };
  const submitted = (await remote?.json()) as { headers: Record<string, string> };
  return {
    signature: input.signature,
    inspectedBy: `${seen.method} ${seen.path}`,
    authenticated: submitted.headers.Authorization !== undefined,
  };
}
