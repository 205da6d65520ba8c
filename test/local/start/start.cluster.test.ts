import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { bed } from '../../support/e2e.ts';
import { projectRoot } from '../../support/source-files.ts';

const run = promisify(execFile);
const { kube, connect } = bed();
const system = inject('systemNamespace');
const enclaves = ['examples-data', 'examples-ops'];
const services = 'example-services';

interface Start {
  readonly stdout: string;
  readonly stderr: string;
}

async function start(): Promise<Start> {
  return run(process.execPath, [join(projectRoot, 'local/start.ts')], { timeout: 240_000, maxBuffer: 16 << 20 });
}

/** What a start could have written: generations of all Deployments, and the revisions of the Helm release. */
async function written(): Promise<string[]> {
  const spaces = [...enclaves, services, system];
  const deployments = (await Promise.all(spaces.map((space) => kube.list('deployments', space)))).flat();
  const releases = await kube.list('secrets', system, 'owner=helm,name=tentacular-mcp');
  const generation = ({ metadata }: (typeof deployments)[number]) =>
    `${metadata.namespace}/${metadata.name} ${metadata.uid} ${metadata.generation}`;
  return [...deployments.map(generation), ...releases.map(({ metadata }) => metadata.name)].sort();
}

describe('npm start', () => {
  const before = new Set<string>();
  let first: Start;
  beforeAll(async () => {
    for (const name of [...enclaves, services]) if (await kube.get('namespace', name)) before.add(name);
    first = await start();
  });
  afterAll(async () => {
    const mcp = await connect();
    for (const name of enclaves) if (!before.has(name)) await mcp.ok('enclave_deprovision', { name, confirm: true });
    await mcp.close();
    if (!before.has(services)) await kube.remove('namespace', services);
  });

  it('ends with the output of a run, and with where to go on', () => {
    expect(first.stdout).toContain('"text": "HELLO ADA"');
    expect(first.stdout).toContain(inject('endpoint'));
    expect(first.stdout).toMatch(/claude mcp add --transport http tentacular http/);
    expect(first.stdout).toMatch(/stop +npm run cluster -- down/);
  });

  it('tells on stderr what it does and how long each step took', () => {
    for (const step of ['images', 'control plane', 'examples, through MCP']) {
      expect(first.stderr).toMatch(new RegExp(`✓ ${step} \\(\\d`));
    }
  });

  it('writes the token to a file that nobody else may read, and prints it nowhere', () => {
    const [, file = ''] = /token +in (\S+)/.exec(first.stdout) ?? [];
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(first.stdout + first.stderr).not.toContain(inject('token'));
  });

  it('a second time makes and writes nothing', async () => {
    const live = await written();
    const second = await start();
    expect(await written()).toEqual(live);
    expect(second.stdout).toContain('"text": "HELLO ADA"');
  });
});
