import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { synthWorkspace } from '../../constructs/synth.ts';
import { readWorkspace, type WorkspaceFiles } from '../../constructs/workspace.ts';
import { describeFileFaults } from '../../constructs/workspace-parse.ts';
import { projectRoot } from '../support/source-files.ts';

const run = promisify(execFile);
const bin = (name: string): string => join(projectRoot, 'node_modules/.bin', name);

function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

describe('cdk8s synth', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'synth-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('writes each set to <enclave>/<tentacle>.k8s.yaml, the enclave first, the same bytes each time', async () => {
    const synth = async (name: string): Promise<Record<string, string>> => {
      const output = join(folder, name);
      await run(bin('cdk8s'), ['synth', '--check-upgrade=false', '--output', output], { cwd: projectRoot });
      return contents(output);
    };
    const [first, second] = [await synth('first'), await synth('second')];
    expect(Object.keys(first)).toEqual([
      'examples-data/0-enclave.k8s.yaml',
      'examples-data/digest.k8s.yaml',
      'examples-data/hello.k8s.yaml',
      'examples-ops/0-enclave.k8s.yaml',
      'examples-ops/heartbeat.k8s.yaml',
      'examples-ops/signer.k8s.yaml',
    ]);
    expect(second).toEqual(first);
  });

  it('writes nothing and exits 1 where a workspace has faults', async () => {
    const workspace = join(folder, 'broken');
    cpSync(join(projectRoot, 'examples'), workspace, { recursive: true });
    writeFileSync(join(workspace, 'enclaves/examples-ops/signer/workflow.yaml'), 'name: signer\nversion: 1.0\n');
    const output = join(folder, 'nothing');
    const failure = run(bin('node'), [join(projectRoot, 'constructs/main.ts'), workspace], {
      env: { CDK8S_OUTDIR: output },
    });
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^2 faults; nothing was written\.\n\nenclaves\/examples-ops\/signer\n {2}nodes .*\n {2}version \(line 2, /,
      ),
    });
    expect(readdirSync(folder)).not.toContain('nothing');
  });

  it('the examples type-check against the node API', async () => {
    await expect(run(bin('tsc'), ['-p', 'examples'], { cwd: projectRoot })).resolves.toMatchObject({ stdout: '' });
  });
});

describe('a workspace', () => {
  it('tells all faults of all files at once, each under its path', () => {
    const files: WorkspaceFiles = {
      options: 'rendererOptions:\n  engineImage: "not an image"\n  podCidrs: [10.0.0.1/8]\n  surprise: 1\n  dns: {}\n',
      enclaves: [
        {
          name: 'data',
          enclave: 'owner: { email: nobody }\nqouta_preset: small\n',
          tentacles: [{ name: 'job', workflow: 'name: job\nversion: 1.0\n', files: {} }],
        },
        { name: 'default', enclave: undefined, tentacles: [] },
        {
          name: 'ops',
          enclave: 'mode: open\n',
          tentacles: [
            {
              name: 'Upper',
              workflow: 'name: upper\nversion: "1.0"\nnodes: { a: { path: a.ts } }\n',
              files: { 'a.ts': "import 'x';" },
            },
          ],
        },
      ],
    };
    const { faults } = synthWorkspace(files);
    expect(faults.map(({ path, faults: found }) => `${path}: ${found.map((fault) => fault.path).join(' ')}`)).toEqual([
      'tentacular.yaml: rendererOptions.engineImage rendererOptions.controlPlane rendererOptions.dns rendererOptions.podCidrs.0 rendererOptions.serviceCidrs rendererOptions.nodeCidrs rendererOptions',
      'enclaves/data/enclave.yaml: qouta_preset',
      'enclaves/default/enclave.yaml: name',
      'enclaves/ops/enclave.yaml: mode',
      'enclaves/data/job: nodes version',
      'enclaves/ops/Upper: name files["a.ts"]',
    ]);
    const text = describeFileFaults(faults);
    expect(text).toMatch(/^\d+ faults; nothing was written\./);
    expect(text).toContain('did you mean "quota_preset"?');
  });

  it('leaves tests, secrets and documentation out of the code', async () => {
    const { enclaves } = await readWorkspace(join(projectRoot, 'examples'));
    const signer = enclaves.flatMap(({ tentacles }) => tentacles).find(({ name }) => name === 'signer');
    expect(Object.keys(signer?.files ?? {})).toEqual(['nodes/inspect.ts', 'nodes/sign.ts']);
  });
});
