import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { projectRoot, sourceFiles } from './support/source-files.ts';

/**
 * Imports go one way. A folder belongs to the longest prefix that fits; it may import its own layer and those listed.
 * `server/` is split: its parts are layers of their own.
 */
const layers: Readonly<Record<string, readonly string[]>> = {
  'constructs/model': [],
  'constructs/workflow': ['constructs/model'],
  constructs: ['constructs/model', 'constructs/workflow'],
  engine: ['constructs/model', 'constructs/workflow'],
  'server/cluster': ['constructs', 'constructs/model', 'constructs/workflow'],
  'server/api': ['constructs/model'],
  'server/authz': ['constructs/model'],
  'server/auth': ['constructs/model', 'server/api'],
  'server/telemetry': ['constructs/model'],
  'server/tools': [
    'constructs',
    'constructs/model',
    'constructs/workflow',
    'server/api',
    'server/authz',
    'server/cluster',
  ],
  'server/mcp': ['constructs/model', 'server/api', 'server/auth', 'server/authz', 'server/telemetry', 'server/tools'],
  server: [
    'constructs',
    'constructs/model',
    'server/api',
    'server/auth',
    'server/authz',
    'server/cluster',
    'server/mcp',
    'server/telemetry',
    'server/tools',
  ],
  cli: ['server/api', 'constructs', 'constructs/model', 'constructs/workflow'],
  local: ['constructs', 'constructs/model', 'constructs/workflow', 'server/api'],
  examples: ['constructs', 'constructs/model', 'constructs/workflow', 'server/api'],
};

/** What the runtime-neutral layers may import from outside: runs in Node, Deno and a browser alike. */
const neutralPackages = new Set(['yaml', 'semver', 'cron-parser']);
const neutralLayers = new Set(['constructs/model', 'constructs/workflow']);
/** Names whose use ties code to Node or makes rendering depend on anything but its input. */
const impureGlobals =
  /\b(process|Buffer|__dirname|__filename|setTimeout|setInterval|fetch)\b|\bDate\.now\b|\bMath\.random\b/;
/** The edge of the constructs: `cdk8s synth` has to read the workspace. */
const constructsEdge = new Set(['constructs/main.ts', 'constructs/workspace.ts']);

interface Import {
  readonly file: string;
  readonly line: number;
  readonly specifier: string;
}

function layerOf(path: string): string | undefined {
  return Object.keys(layers)
    .filter((layer) => path.startsWith(`${layer}/`))
    .sort((a, b) => b.length - a.length)[0];
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(projectRoot, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: string) => {
    found.push({ file, line: source.getLineAndCharacterOfPosition(node.getStart()).line + 1, specifier });
  };
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      if (ts.isStringLiteral(node.moduleSpecifier)) add(node, node.moduleSpecifier.text);
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const argument = node.arguments[0];
      if (argument && ts.isStringLiteral(argument)) add(node, argument.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** What is wrong with one import, or undefined. Pure, so that the test below can prove that it catches. */
function layerViolation(entry: Import): string | undefined {
  const from = layerOf(entry.file);
  if (from === undefined) return undefined;
  const where = `${entry.file}:${entry.line} imports ${entry.specifier}`;
  if (!entry.specifier.startsWith('.')) {
    const packageName = entry.specifier
      .split('/')
      .slice(0, entry.specifier.startsWith('@') ? 2 : 1)
      .join('/');
    if (neutralLayers.has(from) && !neutralPackages.has(packageName)) return `${where}: ${from}/ is runtime-neutral`;
    if (entry.file.startsWith('constructs/') && !constructsEdge.has(entry.file)) {
      if (/^node:(?!crypto$)/.test(entry.specifier)) return `${where}: constructs/ is pure`;
    }
    return undefined;
  }
  const target = relative(projectRoot, resolve(projectRoot, dirname(entry.file), entry.specifier));
  const to = layerOf(target);
  if (to === from) return undefined;
  if (to === undefined) return `${where}: no layer may import ${target}`;
  const allowed = layers[from] ?? [];
  return allowed.includes(to) ? undefined : `${where}: ${from}/ may import ${allowed.join(', ') || 'nothing'}`;
}

const files = sourceFiles().filter((file) => layerOf(file) !== undefined);

describe('layers', () => {
  it('every import goes one way', () => {
    const violations = files
      .flatMap(importsOf)
      .map(layerViolation)
      .filter((line) => line !== undefined);
    expect(violations).toEqual([]);
  });

  it('constructs/ has no clock, random, environment or network', () => {
    const violations = files
      .filter((file) => file.startsWith('constructs/') && !constructsEdge.has(file))
      .flatMap((file) =>
        stripComments(readFileSync(join(projectRoot, file), 'utf8'))
          .split('\n')
          .flatMap((line, index) => (impureGlobals.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : [])),
      );
    expect(violations).toEqual([]);
  });

  it.each([
    ['constructs/model/a.ts', '../workflow/b.ts'],
    ['constructs/model/a.ts', 'node:fs'],
    ['constructs/workflow/a.ts', 'cdk8s'],
    ['constructs/tentacle/a.ts', 'node:fs'],
    ['constructs/tentacle/a.ts', '../../server/cluster/b.ts'],
    ['server/cluster/a.ts', '../tools/b.ts'],
    ['server/tools/a.ts', '../mcp/b.ts'],
    ['server/api/a.ts', '../cluster/b.ts'],
    ['cli/a.ts', '../server/cluster/b.ts'],
    ['engine/a.ts', '../constructs/render.ts'],
    ['server/app.ts', '../test/support/b.ts'],
  ])('an import of the wrong direction is named: %s -> %s', (file, specifier) => {
    expect(layerViolation({ file, line: 3, specifier })).toContain(`${file}:3`);
  });
});

/** Comments and string contents blanked out (lines kept), so that only code is searched. */
function stripComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/\/\/[^\n]*/g, '')
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/`(?:[^`\\$]|\\.)*`/g, '``');
}
