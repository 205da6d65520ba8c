import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { synthWorkspace } from './synth.ts';
import { readWorkspace } from './workspace.ts';
import { describeFileFaults } from './workspace-parse.ts';

/**
 * The app that `cdk8s synth` runs: `node constructs/main.ts <workspace>`. Writes every rendered set below the folder
 * that the CLI names in CDK8S_OUTDIR, or nothing at all and every fault to stderr. No cluster, no network, no clock.
 */
const [, , root = '.'] = process.argv;
const outdir = process.env.CDK8S_OUTDIR ?? 'dist';
const result = synthWorkspace(await readWorkspace(root));
if (result.files) {
  for (const [path, text] of result.files) {
    const target = join(outdir, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  for (const warning of result.warnings) process.stderr.write(`warning: ${warning}\n`);
} else {
  process.stderr.write(describeFileFaults(result.faults));
  process.exitCode = 1;
}
