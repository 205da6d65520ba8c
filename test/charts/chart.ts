import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import type { JsonObject } from '../../constructs/model/json.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import { projectRoot } from '../support/source-files.ts';

const run = promisify(execFile);

export const chart = join(projectRoot, 'charts/tentacular-mcp');

/** stdout of helm; throws with stderr on a non-zero exit. */
export async function helm(program: string, args: readonly string[], input = ''): Promise<string> {
  const call = run(program, args, { timeout: 180_000, maxBuffer: 32 << 20 });
  call.child.stdin?.end(input);
  return (await call).stdout;
}

/** What the chart renders to without a cluster. `auth.existingSecret` is given unless `values.auth` is. */
export async function renderChart(program: string, values: JsonObject = {}, namespace = 'ns'): Promise<Manifest[]> {
  const given = { auth: { existingSecret: 'given' }, ...values };
  const args = ['template', 'release', chart, '--namespace', namespace, '--kube-version', '1.34.0', '--values', '-'];
  const text = await helm(program, args, JSON.stringify(given));
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}

/** The one object of that kind and name. */
export function find(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  const [only] = found;
  if (only === undefined || found.length > 1) {
    throw new Error(`${found.length} of ${kind}/${name} among ${manifests.map((m) => `${m.kind}/${m.metadata.name}`)}`);
  }
  return only;
}
