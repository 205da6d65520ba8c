import { byteLength } from '../model/bytes.ts';
import type { Fault } from '../model/errors.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../model/json.ts';
import type { ModuleProxyOptions } from '../model/options.ts';
import type { ThirdPartyImports } from '../workflow/engine-flags.ts';
import { filePathFault, isModulePath, isSecretFile, maxCodeBytes, maxFiles, reservedFiles } from '../workflow/files.ts';
import { shorten } from '../workflow/yaml-source.ts';
import { scanModule } from './imports.ts';
import { judgeImport } from './specifiers.ts';

/** The code of a tentacle as it is mounted: every file by path, and how its imports are resolved. */
export interface Code {
  readonly files: Readonly<Record<string, string>>;
  readonly imports: ThirdPartyImports;
  /** Modules without a default export. */
  readonly withoutDefaultExport: ReadonlySet<string>;
  readonly faults: readonly Fault[];
}

export interface CodeInput {
  /** Text of workflow.yaml. */
  readonly workflow: string;
  readonly files: Readonly<Record<string, string>>;
  readonly moduleProxy?: ModuleProxyOptions;
}

/** Most faults of the files that are listed. */
const maxFaults = 100;

/** Checks names, sizes and imports of all files, and adds the import map where one is needed. */
export function buildCode({ workflow, files, moduleProxy }: CodeInput): Code {
  const faults: Fault[] = [];
  const names = Object.keys(files).sort();
  if (names.length > maxFiles)
    faults.push({ path: 'files', message: 'are too many', found: names.length, allowed: `at most ${maxFiles}` });
  for (const name of names.slice(0, maxFiles)) faults.push(...fileFaults(name, files[name]));
  faults.push(...folderFaults(names), ...sizeFaults({ 'workflow.yaml': workflow, ...files }));
  const none = { kind: 'none', importMap: false, lock: false } as const;
  // Names or sizes that are wrong make the modules not worth reading.
  if (faults.length > 0) return { files: {}, imports: none, withoutDefaultExport: new Set(), faults };

  const lock = files['deno.lock'] === undefined ? undefined : portableLock(files['deno.lock'], faults);
  const importMap = new Map<string, string>();
  const withoutDefaultExport = new Set<string>();
  let thirdParty = false;
  for (const file of names.filter(isModulePath)) {
    if (faults.length >= maxFaults) break;
    const scan = scanModule(file, files[file] ?? '');
    faults.push(...scan.faults.slice(0, maxFaults));
    if (!scan.hasDefaultExport) withoutDefaultExport.add(file);
    for (const found of scan.imports) {
      if (faults.length >= maxFaults) break;
      const context = { file, files: names, lock: lock !== undefined, ...(moduleProxy ? { moduleProxy } : {}) };
      const verdict = judgeImport(found, context);
      if (verdict.kind === 'fault') {
        const { message, allowed, hint } = verdict;
        const path = `files[${JSON.stringify(file)}]`;
        faults.push({
          path,
          message,
          allowed,
          ...(hint === undefined ? {} : { hint }),
          line: found.line,
          column: found.column,
        });
      } else if (verdict.kind === 'third-party') {
        thirdParty = true;
        if (verdict.mapTo !== undefined) importMap.set(found.specifier, verdict.mapTo);
      }
    }
  }
  const rendered: Record<string, string> = { 'workflow.yaml': workflow };
  for (const name of names) rendered[name] = (name === 'deno.lock' ? lock : files[name]) ?? '';
  if (importMap.size > 0) rendered['import_map.json'] = importMapText(importMap);
  const imports: ThirdPartyImports = {
    kind: thirdParty && moduleProxy ? moduleProxy.kind : 'none',
    importMap: importMap.size > 0,
    lock: lock !== undefined,
  };
  return { files: rendered, imports, withoutDefaultExport, faults };
}

function fileFaults(name: string, text: unknown): Fault[] {
  const path = `files[${JSON.stringify(shorten(name))}]`;
  const fault = filePathFault(name);
  if (fault) return [{ path, message: fault.message, found: shorten(name), allowed: fault.allowed }];
  if ((reservedFiles as readonly string[]).includes(name)) {
    return [
      {
        path,
        message: 'is a name that rendering uses itself',
        found: name,
        allowed: 'workflow.yaml apart from the files',
      },
    ];
  }
  if (isSecretFile(name)) {
    const hint = 'send values as secrets; a ConfigMap is readable to everybody who may read the enclave';
    return [{ path, message: 'is by its name a file of secrets', found: name, allowed: 'code', hint }];
  }
  if (encodeKey(name).length > 253)
    return [{ path, message: 'is too long a name', allowed: 'fewer underscores, slashes, or characters' }];
  if (typeof text !== 'string' || !text.isWellFormed())
    return [{ path, message: 'is not text', allowed: 'UTF-8 text' }];
  return [];
}

// A pod whose volume needs one name for both would wait for it for ever.
function folderFaults(names: readonly string[]): Fault[] {
  const folders = new Set<string>();
  for (const name of names.slice(0, maxFiles)) {
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1))
      folders.add(name.slice(0, end));
  }
  return [...names, 'workflow.yaml', 'import_map.json']
    .filter((name) => folders.has(name))
    .map((name) => ({
      path: `files[${JSON.stringify(shorten(name))}]`,
      message: 'is a file, and the folder of another one',
      allowed: 'one of the two',
    }));
}

function sizeFaults(files: Readonly<Record<string, string>>): Fault[] {
  const sizes = Object.entries(files).map(([name, text]) => ({
    name,
    bytes: typeof text === 'string' ? byteLength(text) : 0,
  }));
  const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= maxCodeBytes) return [];
  const largest = sizes.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1)).slice(0, 5);
  const list = largest.map(({ name, bytes }) => `${shorten(name)} ${bytes}`).join(', ');
  return [
    {
      path: 'files',
      message: `are too large together; the largest: ${list}`,
      found: `${total} bytes`,
      allowed: `at most ${maxCodeBytes} bytes (900 KiB)`,
    },
  ];
}

// One lock serves laptop and cluster: `tarball` names the proxy that happened to be asked.
function portableLock(text: string, faults: Fault[]): string | undefined {
  let lock: JsonValue;
  try {
    lock = JSON.parse(text) as JsonValue;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    faults.push({ path: 'files["deno.lock"]', message: 'is not JSON', allowed: 'what `tntc lock` wrote' });
    return undefined;
  }
  if (!isJsonObject(lock)) {
    faults.push({ path: 'files["deno.lock"]', message: 'is no JSON object', allowed: 'what `tntc lock` wrote' });
    return undefined;
  }
  if (isJsonObject(lock.npm)) {
    for (const entry of Object.values(lock.npm)) if (isJsonObject(entry)) delete entry.tarball;
  }
  try {
    return `${JSON.stringify(lock, null, 2)}\n`;
  } catch (error) {
    // JSON.parse reads any depth, JSON.stringify does not.
    if (!(error instanceof RangeError)) throw error;
    faults.push({ path: 'files["deno.lock"]', message: 'is nested too deeply', allowed: 'what `tntc lock` wrote' });
    return undefined;
  }
}

function importMapText(entries: ReadonlyMap<string, string>): string {
  const imports: JsonObject = Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ imports }, null, 2)}\n`;
}

/**
 * A path as a key of a ConfigMap, which may hold no slash: `/` becomes `__` and `_` becomes `_.`, so that
 * no two paths share a key and the path can be read back.
 */
export function encodeKey(path: string): string {
  return path.replaceAll(/[_/]/g, (character) => (character === '/' ? '__' : '_.'));
}

/** The path behind a key; undefined if it is the key of none. */
export function decodeKey(key: string): string | undefined {
  if (/_(?![_.])/.test(key.replaceAll(/_[_.]/g, ''))) return undefined;
  return key.replaceAll(/_([_.])/g, (_, mark: string) => (mark === '_' ? '/' : '_'));
}

/** Text of workflow.yaml for a workflow that was given as an object: JSON, which is YAML too. */
export function workflowText(workflow: string | JsonObject): string {
  return typeof workflow === 'string' ? workflow : `${JSON.stringify(workflow, null, 2)}\n`;
}

/** The same source, whatever the order of its files. */
export function sourceText(workflow: string | JsonObject, files: Readonly<Record<string, string>>): string {
  return canonicalJson({ workflow: workflowText(workflow), files: { ...files } });
}
