import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect } from 'vitest';
import { projectRoot } from '../../support/source-files.ts';

/** Rows of the troubleshooting tables of both pages for users: what is seen, and everything else. */
const rows = ['authentication', 'authorization'].flatMap((page) =>
  readFileSync(join(projectRoot, `docs/${page}.md`), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => ({ seen: line.split(/(?<!\\)\|/)[1] ?? '', line })),
);

/**
 * Asserts that a row for users shows this message, letter by letter, and names the running test as what reproduces it.
 * `<word>` in the row stands for what differs from case to case.
 */
export function expectDocumented(message: string): void {
  const { currentTestName = '', testPath = '' } = expect.getState();
  const title = currentTestName.split(' > ').at(-1) ?? '';
  const file = relative(projectRoot, testPath);
  const shown = rows
    .filter(({ line }) => line.includes(`\`${file}\``) && line.includes(`"${title}"`))
    .flatMap(({ seen }) => [...seen.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));
  if (!shown.some((text) => patternOf(text).test(message))) {
    throw new Error(`no row that names "${title}" shows "${message}"; shown: ${shown.join(' | ') || 'nothing'}`);
  }
}

function patternOf(text: string): RegExp {
  const parts = text.split(/<[a-z ]+>/).map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.+')}$`);
}
