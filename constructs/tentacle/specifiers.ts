import type { ModuleProxyOptions } from '../model/options.ts';
import { didYouMean } from '../model/similar.ts';
import type { ModuleImport } from './imports.ts';

/** What becomes of one import: nothing to do, an entry of the import map, or a fault. */
export type ImportVerdict =
  | { readonly kind: 'local' }
  | { readonly kind: 'third-party'; readonly mapTo?: string }
  | { readonly kind: 'fault'; readonly message: string; readonly allowed: string; readonly hint?: string };

export interface ImportContext {
  /** The module that imports. */
  readonly file: string;
  /** Every path of the code. */
  readonly files: readonly string[];
  readonly moduleProxy?: ModuleProxyOptions;
  /** The code holds a deno.lock, so ranges are pinned there. */
  readonly lock: boolean;
}

/** Built-ins of Node that work within the engine's permissions. */
const allowedBuiltins = new Set(
  `assert assert/strict async_hooks buffer console constants crypto diagnostics_channel dns dns/promises events fs
  fs/promises http http2 https net os path path/posix perf_hooks process punycode querystring stream
  stream/consumers stream/promises stream/web string_decoder timers timers/promises tls url util util/types zlib`.split(
    /\s+/,
  ),
);

const allowedImports =
  'a relative path within the workflow, type imports of tentacular, node: built-ins, npm:<package>@<version>, jsr:@<scope>/<package>@<version>';

/** Judges one import by module-proxy.md. */
export function judgeImport({ specifier, typeOnly }: ModuleImport, context: ImportContext): ImportVerdict {
  if (/^\.\.?\//.test(specifier)) return judgeRelative(specifier, context);
  if (specifier === 'tentacular') {
    if (typeOnly) return { kind: 'local' };
    return fault('imports values from tentacular, which holds only types', 'import type { ... } from "tentacular"');
  }
  if (specifier.startsWith('node:')) {
    if (allowedBuiltins.has(specifier.slice(5))) return { kind: 'local' };
    return fault(
      `imports ${quote(specifier)}, which the engine's permissions forbid`,
      'built-ins that start no process, worker or native code',
    );
  }
  if (/^(?:npm|jsr):/.test(specifier)) return judgePackage(specifier, context);
  if (specifier.startsWith('https://esm.sh/')) return judgeEsm(specifier, context);
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier))
    return fault(`imports ${quote(specifier)} from elsewhere`, allowedImports);
  if (specifier.startsWith('/')) return fault(`imports the absolute path ${quote(specifier)}`, allowedImports);
  const hint = allowedBuiltins.has(specifier) ? `write "node:${specifier}"` : `write "npm:${specifier}@<version>"`;
  return { ...fault(`imports the bare name ${quote(specifier)}`, allowedImports), hint };
}

function fault(message: string, allowed: string): Extract<ImportVerdict, { kind: 'fault' }> {
  return { kind: 'fault', message, allowed };
}

function quote(specifier: string): string {
  return JSON.stringify(specifier.length <= 120 ? specifier : `${specifier.slice(0, 120)}…`);
}

function judgeRelative(specifier: string, { file, files }: ImportContext): ImportVerdict {
  const segments = file.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') {
      if (segments.pop() === undefined)
        return fault(`imports ${quote(specifier)}, which lies outside the workflow`, allowedImports);
    } else if (part !== '.') segments.push(part);
  }
  const path = segments.join('/');
  if (files.includes(path)) return { kind: 'local' };
  const missing = fault(
    `imports ${quote(specifier)}, which is no file of this workflow`,
    'the path of a file, with its extension',
  );
  const same = files.find((candidate) => candidate.replace(/\.[^./]+$/, '') === path.replace(/\.[^./]+$/, ''));
  const hint =
    same === undefined ? didYouMean(path, files) : `write the extension: ${same.slice(same.lastIndexOf('/') + 1)}`;
  return hint === undefined ? missing : { ...missing, hint };
}

// npm:name@version/subpath or jsr:@scope/name@version/subpath
const packagePattern =
  /^(npm|jsr):\/?((?:@[a-z0-9][-a-z0-9._]*\/)?[a-zA-Z0-9][-a-zA-Z0-9._]*)(?:@([^/]+))?(\/[-A-Za-z0-9._/@]*)?$/;
const exactVersion = /^\d+\.\d+\.\d+(?:-[-0-9A-Za-z.]+)?(?:\+[-0-9A-Za-z.]+)?$/;
const noProxy = 'imports of its own folder: these renderer options have no module proxy';

function judgePackage(specifier: string, { moduleProxy, lock }: ImportContext): ImportVerdict {
  const [, registry, name = '', version, subpath = ''] = packagePattern.exec(specifier) ?? [];
  if (registry === undefined || (registry === 'jsr' && !name.startsWith('@'))) {
    return fault(`imports ${quote(specifier)}, which names no package`, allowedImports);
  }
  if (!moduleProxy) return fault(`imports ${quote(specifier)}`, noProxy);
  const esm = moduleProxy.kind === 'esm';
  if (version === undefined || (!exactVersion.test(version) && (esm || !lock))) {
    const allowed = esm ? 'an exact version' : 'an exact version, or a range together with a deno.lock';
    return {
      ...fault(`imports ${quote(specifier)} without an exact version`, allowed),
      hint: `write "${registry}:${name}@<major>.<minor>.<patch>${subpath}"`,
    };
  }
  if (esm)
    return {
      kind: 'third-party',
      mapTo: `${base(moduleProxy)}${registry === 'jsr' ? '/jsr' : ''}/${name}@${version}${subpath}`,
    };
  // The npm-compatible name of a JSR package: @std/path is @jsr/std__path (https://jsr.io/docs/npm-compatibility).
  if (registry === 'jsr')
    return { kind: 'third-party', mapTo: `npm:@jsr/${name.slice(1).replace('/', '__')}@${version}${subpath}` };
  return { kind: 'third-party' };
}

function judgeEsm(specifier: string, { moduleProxy }: ImportContext): ImportVerdict {
  if (!moduleProxy) return fault(`imports ${quote(specifier)}`, noProxy);
  const rest = specifier.slice('https://esm.sh/'.length);
  const [, name = '', version] = /^((?:jsr\/)?(?:@[^/@]+\/)?[^/@?]+)(?:@([^/?]+))?/.exec(rest) ?? [];
  if (moduleProxy.kind !== 'esm') {
    const hint = `write "npm:${name}@${version ?? '<version>'}"`;
    return { ...fault(`imports ${quote(specifier)}, but the module proxy is an npm registry`, allowedImports), hint };
  }
  if (version === undefined || !exactVersion.test(version)) {
    return {
      ...fault(`imports ${quote(specifier)} without an exact version`, 'an exact version'),
      hint: `write "https://esm.sh/${name}@<major>.<minor>.<patch>"`,
    };
  }
  return { kind: 'third-party', mapTo: `${base(moduleProxy)}/${rest}` };
}

function base({ url }: ModuleProxyOptions): string {
  return url.replace(/\/+$/, '');
}
