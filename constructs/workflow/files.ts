import { hasHiddenCharacters, isPrototypeName } from '../model/text.ts';

/** Most bytes of code of one tentacle, UTF-8: a ConfigMap holds 1 MiB, with its own overhead. */
export const maxCodeBytes = 900 * 1024;
/** Most files beside workflow.yaml. */
export const maxFiles = 500;

/** Names that the renderer adds to the code by itself; a source may not bring them. */
export const reservedFiles = ['workflow.yaml', 'workflow.yml', 'import_map.json'] as const;

export interface PathFault {
  readonly message: string;
  readonly allowed: string;
}

const segment = /^[A-Za-z0-9_][-A-Za-z0-9_.]*$/;
const pathRule =
  'a relative path of at most 200 characters: segments of letters, digits, . _ - between single slashes, no .., no hidden file';

/** Why a path is refused as the name of a file in a workflow's folder, or undefined if it is fine. */
export function filePathFault(path: string): PathFault | undefined {
  const allowed = pathRule;
  if (path === '' || path.length > 200) return { message: 'is no path for a file', allowed };
  if (hasHiddenCharacters(path)) return { message: 'holds control or invisible characters', allowed };
  if (path.includes('\\')) return { message: 'holds a backslash', allowed };
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return { message: 'is an absolute path', allowed };
  const segments = path.split('/');
  if (segments.includes('..') || segments.includes('.'))
    return { message: 'leads out of its folder, or through it again', allowed };
  if (segments.some((part) => !segment.test(part) || isPrototypeName(part)))
    return { message: 'is no path for a file', allowed };
  return undefined;
}

const moduleExtensions = ['.ts', '.mts', '.js', '.mjs'] as const;

/** Why a path is refused as the module of a node, or undefined if it is fine. */
export function modulePathFault(path: string): PathFault | undefined {
  const fault = filePathFault(path.startsWith('./') ? path.slice(2) : path);
  if (fault) return fault;
  if (path.startsWith('./')) return { message: 'begins with ./', allowed: `the path without it: ${path.slice(2)}` };
  if (moduleExtensions.some((extension) => path.endsWith(extension))) return undefined;
  return { message: 'is no module', allowed: `a file that ends in ${moduleExtensions.join(', ')}` };
}

/** True for a module that Deno runs: what is searched for imports. */
export function isModulePath(path: string): boolean {
  return moduleExtensions.some((extension) => path.endsWith(extension));
}

/** True for a file that by its name holds secret values: it must never end in a ConfigMap. */
export function isSecretFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
  return /^(?:\.env.*|\.secrets.*|secrets?(?:\.[-a-z0-9]+)*\.(?:ya?ml|json|env|txt)|.*\.(?:pem|key|p12|pfx))$/.test(
    name,
  );
}

/**
 * Which files of a workflow's folder are its code: modules, JSON and plain data beside workflow.yaml. Not tests,
 * secrets, documentation, hidden files. `cdk8s synth` and clients that send a folder use this one rule.
 */
export function isCodeFile(path: string): boolean {
  if ((reservedFiles as readonly string[]).includes(path) || isSecretFile(path)) return false;
  if (path.startsWith('tests/') || path.split('/').some((part) => part.startsWith('.') || part === 'node_modules'))
    return false;
  return isModulePath(path) || path.endsWith('.json') || path === 'deno.lock';
}
