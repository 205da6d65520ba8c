import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { projectRoot } from './support/source-files.ts';

/**
 * Documents name the tests that keep them true, as `test/file.ts`: "title", "title". An ellipsis stands for words left
 * out. A title of many cases may be named with its case in the place of %s.
 */
interface Citation {
  readonly file: string;
  readonly titles: readonly string[];
}

const pages = readdirSync(join(projectRoot, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/${file}`);

function citationsIn(text: string): Citation[] {
  return [...text.matchAll(/`(test\/[\w./-]+\.ts)`((?:[:,] "[^"\n]+")*)/g)].map(([, file = '', titles = '']) => ({
    file,
    titles: [...titles.matchAll(/"([^"\n]+)"/g)].map(([, title = '']) => title),
  }));
}

/** The cells below the heading `test` of every table; each is to name a test, or to say why there is none. */
function testCellsIn(text: string): string[] {
  const cells: string[] = [];
  let column: number | undefined;
  for (const line of text.split('\n')) {
    if (!line.startsWith('|')) {
      column = undefined;
      continue;
    }
    const row = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (column === undefined) column = row.indexOf('test');
    else if (column > 0 && !/^:?-+:?$/.test(row[1] ?? '')) cells.push(row[column] ?? '');
  }
  return cells;
}

/** Titles of the tests of a file: those of `it`, `test`, and of their tables, with %s as it stands there. */
function titlesIn(file: string, text: string): string[] {
  const titles: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(?:it|test)\b/.test(node.expression.getText())) {
      const [title] = node.arguments;
      if (title && ts.isStringLiteralLike(title)) titles.push(title.text);
      else if (title && ts.isTemplateExpression(title)) {
        titles.push(title.head.text + title.templateSpans.map(({ literal }) => `%s${literal.text}`).join(''));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return titles;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether `named` means the test of that title in a file that holds `text`. */
function means(named: string, title: string, text: string): boolean {
  const holes = /%[sdifjo]/g;
  const shape = named.split(/ ?…/).map(literal).join('.*');
  if (new RegExp(`^${shape}$`, 's').test(title)) return true;
  const cases = new RegExp(`^${title.split(holes).map(literal).join('(.+)')}$`, 's').exec(named);
  return cases !== null && cases.length > 1 && cases.slice(1).every((value) => text.includes(value));
}

function faultOf({ file, titles }: Citation): string[] {
  const path = join(projectRoot, file);
  if (!existsSync(path)) return [`there is no ${file}`];
  const text = readFileSync(path, 'utf8');
  const known = titlesIn(file, text);
  return titles
    .filter((named) => !known.some((title) => means(named, title, text)))
    .map((named) => `${file} has no test "${named}"`);
}

describe.each(pages)('%s', (page) => {
  const text = readFileSync(join(projectRoot, page), 'utf8');

  it('names tests that exist', () => {
    expect(citationsIn(text).flatMap(faultOf)).toEqual([]);
  });

  it('names a test in each row of a table of tests, or says why there is none', () => {
    const bare = testCellsIn(text).filter((cell) => citationsIn(cell).length === 0 && !cell.startsWith('none: '));
    expect(bare).toEqual([]);
  });
});

describe('a test that a page names', () => {
  const citation = (named: string) => faultOf({ file: 'test/docs-tests.test.ts', titles: [named] });

  it('is found by its whole title, by its beginning with an ellipsis, and in a table by its case', () => {
    expect(citation('names tests that exist')).toEqual([]);
    expect(citation('is found by its whole title, …')).toEqual([]);
    expect(citation('is found … by its case')).toEqual([]);
    expect(citation('of a table with no words for it is found')).toEqual([]);
  });

  it.each(['no words', 'other words'])('of a table with %s for it is found', (words) => {
    expect(words).toMatch(/words/);
  });

  it('is missed where the title, the case or the file is another', () => {
    const otherCase = `of a table with ${['word', 'less'].join('')} for it is found`;
    for (const named of ['names tests', 'is found by its hole …', otherCase]) {
      expect(citation(named)).toEqual([`test/docs-tests.test.ts has no test "${named}"`]);
    }
    expect(faultOf({ file: 'test/gone.test.ts', titles: [] })).toEqual(['there is no test/gone.test.ts']);
  });

  it('is looked for in the column of that name, and in no other table', () => {
    const table =
      '| a | test |\n| --- | --- |\n| b \\| c | `test/x.ts` |\n| d |  |\n\n| a | b |\n| --- | --- |\n| test | x |';
    expect(testCellsIn(table)).toEqual(['`test/x.ts`', '']);
  });

  it('is read out of the page with every title after it', () => {
    expect(citationsIn('as `test/a.test.ts`: "one", "two …"; and `test/b.ts`.')).toEqual([
      { file: 'test/a.test.ts', titles: ['one', 'two …'] },
      { file: 'test/b.ts', titles: [] },
    ]);
  });
});
