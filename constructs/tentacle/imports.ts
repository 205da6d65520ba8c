import { type ParserOptions, parse } from '@babel/parser';
import type { Fault } from '../model/errors.ts';
import { BoundedText } from './bounded-text.ts';

/** One import in a module's text. Lines and columns begin at 1. */
export interface ModuleImport {
  readonly specifier: string;
  readonly line: number;
  readonly column: number;
  /** Erased before the module runs (`import type`). */
  readonly typeOnly: boolean;
}

export interface ModuleScan {
  readonly imports: readonly ModuleImport[];
  readonly faults: readonly Fault[];
  /** The module has a default export: what a node must have. */
  readonly hasDefaultExport: boolean;
}

interface SyntaxNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number; readonly column: number } } | null;
  readonly [key: string]: unknown;
}

function isSyntaxNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** Every import of a TypeScript or JavaScript module, found on its syntax tree; a syntax error is a fault with its place. */
export function scanModule(file: string, text: string): ModuleScan {
  const path = `files[${JSON.stringify(file)}]`;
  let program: unknown;
  try {
    program = parseModule(text);
  } catch (error) {
    // The parser recurses, and tries: text made to exhaust the stack or the time is refused like any other.
    if (error instanceof RangeError) {
      const message = 'is nested too deeply, or too ambiguously, to be read';
      return { imports: [], faults: [{ path, message }], hasDefaultExport: false };
    }
    if (!(error instanceof SyntaxError)) throw error;
    const { loc } = error as SyntaxError & { loc?: { line: number; column: number } };
    const message = `is no valid module: ${error.message.replace(/ \(\d+:\d+\)$/, '')}`;
    const at = loc === undefined ? {} : { line: loc.line, column: loc.column + 1 };
    return { imports: [], faults: [{ path, message, ...at }], hasDefaultExport: false };
  }
  const imports: ModuleImport[] = [];
  const faults: Fault[] = [];
  let hasDefaultExport = false;
  // A stack instead of recursion: a long chain of operators nests thousands of levels deep.
  const open: unknown[] = [program];
  while (open.length > 0) {
    const value = open.pop();
    if (Array.isArray(value)) {
      for (const item of value) open.push(item);
      continue;
    }
    if (!isSyntaxNode(value)) continue;
    if (exportsDefault(value)) hasDefaultExport = true;
    const place = placeOf(value);
    const source = importSource(value);
    if (isSyntaxNode(source)) {
      const specifier = literalText(source);
      if (specifier !== undefined) imports.push({ specifier, ...placeOf(source), typeOnly: isTypeOnly(value) });
      else
        faults.push({
          path,
          message: 'imports what only runs will tell',
          allowed: 'the specifier as plain text',
          ...place,
        });
    } else if (
      value.type === 'TSImportEqualsDeclaration' &&
      isSyntaxNode(value.moduleReference) &&
      value.moduleReference.type === 'TSExternalModuleReference'
    ) {
      faults.push({ path, message: 'uses import = require()', allowed: 'import ... from', ...place });
    }
    for (const key of Object.keys(value)) {
      if (key !== 'loc' && typeof value[key] === 'object') open.push(value[key]);
    }
  }
  imports.sort((a, b) => a.line - b.line || a.column - b.column);
  return { imports, faults, hasDefaultExport };
}

function parseModule(text: string): unknown {
  const options: ParserOptions = {
    sourceType: 'module',
    plugins: ['typescript'],
    createImportExpressions: true,
    attachComment: false,
  };
  // The parser is typed for primitive strings; what it does with one is what any String can do.
  const file: unknown = Reflect.apply(parse, undefined, [new BoundedText(text), options]);
  return isSyntaxNode(file) ? file.program : undefined;
}

const declarations = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
]);

function importSource(node: SyntaxNode): unknown {
  if (declarations.has(node.type)) return node.source;
  return node.type === 'TSImportType' ? (node.source ?? node.argument) : undefined;
}

// `import { type A } from 'x'` is not among them: Deno drops the names and still loads the module.
function isTypeOnly(node: SyntaxNode): boolean {
  return node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type';
}

function exportsDefault(node: SyntaxNode): boolean {
  if (node.type === 'ExportDefaultDeclaration') return true;
  if (node.type !== 'ExportSpecifier' || !isSyntaxNode(node.exported)) return false;
  return node.exported.name === 'default' || node.exported.value === 'default';
}

function literalText(node: SyntaxNode): string | undefined {
  if (node.type === 'StringLiteral' && typeof node.value === 'string') return node.value;
  if (node.type === 'TSLiteralType' && isSyntaxNode(node.literal)) return literalText(node.literal);
  if (node.type !== 'TemplateLiteral' || !Array.isArray(node.quasis) || node.quasis.length !== 1) return undefined;
  const [quasi]: unknown[] = node.quasis;
  const text: unknown = isSyntaxNode(quasi) ? quasi.value : undefined;
  return typeof text === 'object' && text !== null && 'cooked' in text && typeof text.cooked === 'string'
    ? text.cooked
    : undefined;
}

function placeOf(node: SyntaxNode): { line: number; column: number } {
  const { line = 1, column = 0 } = node.loc?.start ?? {};
  return { line, column: column + 1 };
}
