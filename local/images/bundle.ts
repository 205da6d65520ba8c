import { join } from 'node:path';
import { type BuildOptions, build, type Metafile } from 'esbuild';

/**
 * What stays outside the server's bundle: reading a kubeconfig, which is loaded only where there is one and never in a
 * cluster. With it would come client-node: half a second at each start and 75 MB for nothing.
 */
const leftOutside = ['*/kubeconfig.ts'];

/** CommonJS packages inside an ES module still call `require` for Node's own modules. */
const requireBanner =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/** cron-parser reads crontab files with these if asked to, which nothing here does; Deno resolves only `node:` names. */
const neverRequired = ['fs', 'fs/promises'];

const optionsOf: Readonly<Record<'node' | 'deno', BuildOptions>> = {
  node: { platform: 'node', target: 'node24', external: leftOutside, banner: { js: requireBanner } },
  deno: {
    platform: 'neutral',
    target: 'esnext',
    mainFields: ['module', 'main'],
    external: ['node:*', ...neverRequired],
  },
};

export interface Bundle {
  readonly text: string;
  /** What went in, and what was left outside. Paths are relative to the project's root. */
  readonly metafile: Metafile;
}

/**
 * One ES module of a program and all that it imports. Names are kept, so that stack traces stay readable;
 * licence texts are kept at the end of the file. Equal sources give equal bytes.
 * @param root The project's root.
 * @param entry Entry point relative to it.
 */
export async function bundleProgram(root: string, entry: string, runtime: 'node' | 'deno'): Promise<Bundle> {
  const result = await build({
    ...optionsOf[runtime],
    absWorkingDir: root,
    entryPoints: [join(root, entry)],
    outfile: 'bundle.mjs',
    bundle: true,
    write: false,
    format: 'esm',
    metafile: true,
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'eof',
    logLevel: 'silent',
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error(`esbuild gave no output for ${entry}`);
  return { text: file.text, metafile: result.metafile };
}
