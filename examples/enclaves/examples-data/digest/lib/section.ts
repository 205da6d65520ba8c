/** `fetch-news` fetches the section `news`. Modules import each other by relative path, with the extension. */
export function sectionOf(node: string): string {
  return node.replace(/^fetch-/, '');
}
