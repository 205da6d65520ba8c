import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKey, encodeKey } from '../../../constructs/tentacle/code.ts';
import { scanModule } from '../../../constructs/tentacle/imports.ts';
import { judgeImport } from '../../../constructs/tentacle/specifiers.ts';
import { filePathFault, isCodeFile, isSecretFile } from '../../../constructs/workflow/files.ts';

const specifiersIn = (text: string): string[] =>
  scanModule('nodes/a.ts', text).imports.map(({ specifier }) => specifier);

describe('the imports of a module', () => {
  it.each([
    ["import a from 'x'", ['x']],
    ["import 'x'", ['x']],
    ["import type { A } from 'x'", ['x']],
    ["import a, { type B } from 'x'", ['x']],
    ["export { a } from 'x'; export * from 'y'; export * as z from 'z'", ['x', 'y', 'z']],
    ["const a = await import('x', { with: { type: 'json' } })", ['x']],
    ['const a = await import(`x`)', ['x']],
    ["type A = import('x').A", ['x']],
    ["const a: typeof import('x') = 1", ['x']],
    ["// import a from 'x'\nconst b = \"import c from 'y'\"; /* import('z') */", []],
    [`const re = /import a from 'x'/; \`\${import('y')}\``, ['y']],
    ['using a = b(); enum E { A } class C { accessor x = <T,>(y: T) => y; }', []],
  ])('%s', (text, expected) => expect(specifiersIn(text)).toEqual(expected));

  it('tells line and column', () => {
    expect(scanModule('a.ts', "\n  import { b } from 'c';").imports).toEqual([
      { specifier: 'c', line: 2, column: 21, typeOnly: false },
    ]);
  });

  it.each([
    ["import type { A } from 'x'", true],
    ["import { type A, type B } from 'x'", false],
    ["export type { A } from 'x'", true],
    ["import { A, type B } from 'x'", false],
    ["import {} from 'x'", false],
    ["import 'x'", false],
  ])('%s is erased: %s', (text, erased) => expect(scanModule('a.ts', text).imports[0]?.typeOnly).toBe(erased));

  it.each([
    ['export default 1', true],
    ['const a = 1; export { a as default }', true],
    ["export { default } from './b.ts'", true],
    ['export const a = 1', false],
    ["throw new Error('x')", false],
  ])('%s has a default export: %s', (text, has) => expect(scanModule('a.ts', text).hasDefaultExport).toBe(has));

  it('a syntax error is a fault with its place, and nothing else is thrown', () => {
    expect(scanModule('a.ts', 'const a = ;').faults).toEqual([
      { path: 'files["a.ts"]', message: 'is no valid module: Unexpected token', line: 1, column: 11 },
    ]);
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void scanModule('a.ts', text)),
      { numRuns: 300 },
    );
  });

  it('text made to exhaust the stack is refused', () => {
    for (const text of ['('.repeat(100_000), '['.repeat(400_000), `a${'.b'.repeat(10)}${'?(x)=>'.repeat(50_000)}`]) {
      expect(scanModule('a.ts', text).faults).toHaveLength(1);
    }
  });

  // A file of 120 characters kept the server, which renders what tenants send, busy for hours.
  it.each([
    ['type assertions that might be generic arrow functions', '<T>(', '1', ')'],
    ['calls that might be asynchronous arrow functions', 'async<T>(x=', '1', ')'],
    ['parentheses that might be the types of functions', '(x as ({[', '1', ']})=>a)'],
    ['conditions that might hold the result types of arrow functions', '(x=1?(y):(', '1', '))'],
  ])(
    'text made to be read over and over is refused: %s',
    (_what, open, middle, close) => {
      const text = `export default ${open.repeat(30)}${middle}${close.repeat(30)}`;
      expect(scanModule('a.ts', text).faults).toEqual([
        { path: 'files["a.ts"]', message: 'is nested too deeply, or too ambiguously, to be read' },
      ]);
      const behindComments = text.replace('1', `/*${'\n'.repeat(100_000)}*/1`);
      expect(scanModule('a.ts', behindComments).faults).toHaveLength(1);
    },
    10_000,
  );

  it('a large module of ordinary code is read', () => {
    const text =
      'export const a = async <T extends Foo<T>>(b: (c: T) => void) => (b ? <T>(d: T) => d : f<T>(1 as T));\n';
    const many = Array.from({ length: 8000 }, (_, index) => text.replace('const a', `const a${index}`)).join('');
    expect(scanModule('a.ts', many).faults).toEqual([]);
  });
});

describe('where an import may lead', () => {
  const files = ['nodes/a.ts', 'lib/b.ts', 'data/c.json'];
  const proxy = { kind: 'registry', url: 'http://p:4873', namespace: 'n', podLabels: {}, port: 4873 } as const;
  const judge = (specifier: string, context: Partial<Parameters<typeof judgeImport>[1]> = {}): string => {
    const verdict = judgeImport(
      { specifier, line: 1, column: 1, typeOnly: false },
      { file: 'nodes/a.ts', files, lock: false, ...context },
    );
    return verdict.kind === 'third-party' ? `third-party ${verdict.mapTo ?? ''}` : verdict.kind;
  };

  it.each([
    ['../lib/b.ts', 'local'],
    ['./a.ts', 'local'],
    ['../lib/../data/c.json', 'local'],
    ['../lib/b', 'fault'],
    ['../../b.ts', 'fault'],
    ['../lib/b.ts?x', 'fault'],
    ['node:crypto', 'local'],
    ['node:worker_threads', 'fault'],
    ['node:__proto__', 'fault'],
    ['#internal', 'fault'],
    ['blob:x', 'fault'],
    ['HTTP://x', 'fault'],
    ['npm:zod@3.25.76', 'fault'],
  ])('%s is %s without a module proxy', (specifier, verdict) => expect(judge(specifier)).toBe(verdict));

  it.each([
    ['npm:zod@3.25.76', 'third-party '],
    ['npm:@scope/name@1.0.0/sub/path.js', 'third-party '],
    ['npm:zod@3', 'fault'],
    ['npm:zod', 'fault'],
    ['npm:zod@^3.25.76', 'fault'],
    ['npm:zod@latest', 'fault'],
    ['npm:../x@1.0.0', 'fault'],
    ['jsr:@std/path@1.1.2', 'third-party npm:@jsr/std__path@1.1.2'],
    ['jsr:path@1.1.2', 'fault'],
  ])('%s is %s with a registry', (specifier, verdict) =>
    expect(judge(specifier, { moduleProxy: proxy })).toBe(verdict),
  );

  it('a range needs a lock, and esm.sh an exact version whatever the lock', () => {
    expect(judge('npm:zod@3', { moduleProxy: proxy, lock: true })).toBe('third-party ');
    const esm = { ...proxy, kind: 'esm' } as const;
    expect(judge('npm:zod@3', { moduleProxy: esm, lock: true })).toBe('fault');
    expect(judge('https://esm.sh/zod', { moduleProxy: esm })).toBe('fault');
    expect(judge('https://esm.sh/@a/b@1.2.3/c', { moduleProxy: esm })).toBe('third-party http://p:4873/@a/b@1.2.3/c');
  });
});

describe('files of a workflow', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9_][-A-Za-z0-9_.]{0,8}$/);
  const paths = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));

  it('have keys that a ConfigMap takes, from which the path can be read back', () => {
    fc.assert(
      fc.property(
        paths.filter((path) => filePathFault(path) === undefined),
        (path) => {
          const key = encodeKey(path);
          expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
          expect(key).not.toMatch(/^\.\.?$|^\.\./);
          expect(decodeKey(key)).toBe(path);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('whose path is accepted stay in their folder', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          paths,
          fc.string(),
          fc.webPath(),
          fc.array(fc.constantFrom('..', '.', '', 'a', '~', '\\'), { maxLength: 5 }).map((parts) => parts.join('/')),
        ),
        (path) => {
          if (filePathFault(path)) return;
          const resolved = new URL(path, 'file:///base/folder/').pathname;
          expect(resolved).toBe(`/base/folder/${path}`);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it.each([
    'secrets.yaml',
    'nodes/secrets.json',
    '.env',
    '.env.local',
    'secret.yml',
    'tls.key',
    'secrets.example.yaml',
    'prod.pem',
  ])('%s is a file of secrets', (path) => {
    expect(isSecretFile(path)).toBe(true);
    expect(isCodeFile(path)).toBe(false);
  });

  it.each([
    ['nodes/a.ts', true],
    ['nodes/secrets.ts', true],
    ['data/table.json', true],
    ['deno.lock', true],
    ['tests/a/ok.json', false],
    ['README.md', false],
    ['workflow.yaml', false],
    ['node_modules/x/index.js', false],
    ['.git/config.json', false],
  ])('%s is code: %s', (path, code) => expect(isCodeFile(path)).toBe(code));
});
