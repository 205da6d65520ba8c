import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { synthWorkspace } from '../../constructs/synth.ts';
import { readWorkspace, type WorkspaceFiles } from '../../constructs/workspace.ts';
import { projectRoot } from '../support/source-files.ts';
import { expectGolden, expectNoStaleGoldens, goldenDiff, readGolden, updating } from './golden.ts';

const workspace = await readWorkspace(join(projectRoot, 'examples'));

function synth(files: WorkspaceFiles): ReadonlyMap<string, string> {
  const result = synthWorkspace(files);
  expect(result.faults).toEqual([]);
  return result.files ?? new Map();
}

/** The workspace with one line of one workflow.yaml replaced. */
function withChange(tentacle: string, from: string, to: string): WorkspaceFiles {
  const enclaves = workspace.enclaves.map((enclave) => ({
    ...enclave,
    tentacles: enclave.tentacles.map((entry) => {
      if (entry.name !== tentacle) return entry;
      expect(entry.workflow).toContain(from);
      return { ...entry, workflow: entry.workflow.replace(from, to) };
    }),
  }));
  return { ...workspace, enclaves };
}

describe('goldens of the examples', () => {
  const files = synth(workspace);

  it.each([...files.keys()])('%s', (path) => {
    expectGolden(`examples/${path}`, files.get(path) ?? '');
  });

  it('no golden is left without an example', () => {
    expectNoStaleGoldens('examples', [...files.keys()]);
  });

  it('a reader finds four tentacles in two enclaves', () => {
    expect(workspace.enclaves.map(({ name }) => name)).toEqual(['examples-data', 'examples-ops']);
    expect(workspace.enclaves.flatMap(({ tentacles }) => tentacles.map(({ name }) => name))).toEqual([
      'digest',
      'hello',
      'heartbeat',
      'signer',
    ]);
  });

  // The harm: a reviewer waves a one-line change of a contract through that opens the tentacle to the internet.
  it.skipIf(updating)('a one-line change of a contract shows the opened egress rule in the diff', () => {
    const path = 'examples-data/digest.k8s.yaml';
    const line = '    echo:\n';
    const opened = '    leak: { protocol: https, host: paste.example.com, port: 443 }\n';
    const changed = synth(withChange('digest', line, opened + line)).get(path) ?? '';
    const known = readGolden(`examples/${path}`) ?? '';
    expect(() => expectGolden(`examples/${path}`, changed)).toThrow(/renders to something else/);
    const diff = goldenDiff(`examples/${path}`, known, changed);
    expect(diff).toMatch(
      /^\+ {4}- ports:\n\+ {8}- port: 443\n\+ {10}protocol: TCP\n\+ {6}to:\n\+ {8}- ipBlock:\n\+ {12}cidr: 0\.0\.0\.0\/0$/m,
    );
    expect(diff).toMatch(/^\+ .*--allow-net=.*paste\.example\.com:443/m);
  });

  it('two runs give the same bytes', () => {
    expect([...synth(workspace)]).toEqual([...files]);
  });
});
