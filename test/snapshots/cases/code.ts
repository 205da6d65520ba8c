import type { ModuleProxyOptions } from '../../../constructs/model/options.ts';
import { type GoldenCase, tentacleCase } from './case.ts';

const registry: ModuleProxyOptions = {
  kind: 'registry',
  url: 'http://module-proxy.tentacular-support.svc.cluster.local:4873',
  namespace: 'tentacular-support',
  podLabels: { 'app.kubernetes.io/component': 'module-proxy' },
  port: 4873,
};
const esm: ModuleProxyOptions = {
  ...registry,
  kind: 'esm',
  url: 'http://module-proxy.tentacular-support.svc.cluster.local:8080/',
  port: 8080,
};
const importing = (...specifiers: readonly string[]): { 'nodes/work.ts': string } => ({
  'nodes/work.ts': `${specifiers.map((specifier, index) => `import * as m${index} from '${specifier}';`).join('\n')}\nexport default async () => null;\n`,
});
const lock = {
  version: '5',
  specifiers: { 'npm:zod@3': '3.25.76' },
  npm: { 'zod@3.25.76': { integrity: 'sha512-example', tarball: 'http://laptop:4873/zod/-/zod-3.25.76.tgz' } },
};

export const codeCases: readonly GoldenCase[] = [
  tentacleCase('modules-proxy-unused', 'a module proxy that no node needs is not reachable', {
    options: { moduleProxy: registry },
  }),
  tentacleCase(
    'modules-registry',
    'npm imports by exact version: registry in the environment, egress to it, no remote code',
    {
      files: importing('npm:zod@3.25.76'),
      options: { moduleProxy: registry },
    },
  ),
  tentacleCase(
    'modules-registry-lock',
    'a range with a lock: frozen, and the lock without the address that was asked',
    {
      files: { ...importing('npm:zod@3'), 'deno.lock': JSON.stringify(lock) },
      options: { moduleProxy: registry },
    },
  ),
  tentacleCase('modules-registry-jsr', 'JSR packages by their npm-compatible names, through the import map', {
    files: importing('jsr:@std/path@1.1.2', 'jsr:@std/path@1.1.2/posix'),
    options: { moduleProxy: registry },
  }),
  tentacleCase(
    'modules-esm',
    'esm.sh in the cluster: every specifier through the import map, imports from there only',
    {
      files: importing('npm:zod@3.25.76', 'jsr:@std/path@1.1.2', 'https://esm.sh/ms@2.1.3?target=deno'),
      options: { moduleProxy: esm },
    },
  ),
  tentacleCase('modules-local', 'relative imports, JSON, built-ins and the node API need no proxy', {
    files: {
      'nodes/work.ts':
        "import type { Context } from 'tentacular';\nimport { createHash } from 'node:crypto';\nimport table from '../data/table.json' with { type: 'json' };\nimport { twice } from '../lib/twice.ts';\nexport default async (_ctx: Context) => [createHash, table, twice(1)];\n",
      'lib/twice.ts': 'export const twice = (n: number) => 2 * n;\n',
      'data/table.json': '{"a": 1}\n',
    },
  }),
  tentacleCase('code-file-names', 'paths as keys: no two of them share one, and the volume restores them', {
    files: {
      'nodes/a_b.ts': 'export {};\n',
      'nodes/a/b.ts': 'export {};\n',
      'nodes__a.ts': 'export {};\n',
      'nodes/_a.ts': 'export {};\n',
    },
  }),
  tentacleCase('code-workflow-text', 'workflow.yaml as text is kept as it was written', {
    source: {
      workflow:
        '# a comment stays\nname: job\nversion: "1.0"   # becomes 1.0.0\nnodes:\n  work: { path: nodes/work.ts }\n',
    },
  }),
  tentacleCase('graph', 'several nodes and edges', {
    workflow: {
      nodes: {
        fetch: { path: 'nodes/work.ts', description: 'gets it', timeout: '5s', retries: 2 },
        left: { path: 'nodes/work.ts' },
        right: { path: 'nodes/work.ts' },
      },
      edges: [
        { from: 'fetch', to: 'left' },
        { from: 'fetch', to: 'right' },
      ],
      config: { timeout: '1m', retries: 1, max_concurrency: 4 },
    },
  }),
  tentacleCase('metadata', 'description, tags and environment as annotations', {
    workflow: {
      description: 'Looks after\nthe billing: "daily"',
      tags: ['zeta', 'billing', 'zeta'],
      environment: 'production',
    },
  }),
  tentacleCase('version-build', 'a + in a version becomes _ in labels', {
    workflow: { version: '2.1.0-rc.1+build.7' },
  }),
  tentacleCase('git', 'commit and repository of the caller', {
    source: { gitSha: '0123456789abcdef0123456789abcdef01234567', gitUrl: 'https://git.example.com/team/flows.git' },
  }),
  tentacleCase('managed-by-git', 'what cdk8s synth renders: managed by Git, with the mode that the workflow declares', {
    workflow: { deployment: { mode: 'open-run', enclave: 'team' } },
    source: { managedByGit: true },
  }),
  tentacleCase('mode-without-git', 'a mode is not rendered otherwise: it counts at creation only', {
    workflow: { deployment: { mode: 'private' } },
  }),
  tentacleCase('name-of-caller', 'the caller’s name comes before the workflow’s', { source: { name: 'other-name' } }),
  tentacleCase('name-longest', 'the longest name, in the longest enclave', {
    source: { enclave: `e${'n'.repeat(62)}`, name: `t${'n'.repeat(47)}` },
  }),
];
