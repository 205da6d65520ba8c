import type { Context } from 'tentacular';

interface Section {
  section: string;
  city: string;
  path: string;
}

/** A node with several upstreams gets an object, keyed by their names. */
export default async function join(_ctx: Context, input: Record<string, Section>) {
  const sections = Object.values(input).map(({ section, path }) => ({ section, path }));
  sections.sort((a, b) => a.section.localeCompare(b.section));
  return { city: Object.values(input)[0]?.city, sections };
}
