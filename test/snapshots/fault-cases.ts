/** Sources that are refused, and what makes each of them terrible. */
export interface FaultCase {
  readonly name: string;
  readonly shows: string;
  readonly workflow: string;
  readonly files?: Readonly<Record<string, string>>;
}

const job = 'name: job\nversion: "1.0.0"\nnodes:\n  work: { path: nodes/work.ts }\n';
const node = { 'nodes/work.ts': 'export default async () => null;\n' };
const contract = (lines: string): string => `${job}contract:\n  version: "1"\n  dependencies:\n${lines}`;

const bomb = [
  'a: &a [x, x, x, x, x, x, x, x, x, x]',
  ...'bcdefgh'.split('').map((letter, index) => {
    const before = `*${'abcdefg'[index]}`;
    return `${letter}: &${letter} [${Array(10).fill(before).join(', ')}]`;
  }),
].join('\n');

export const faultCases: readonly FaultCase[] = [
  {
    name: 'everything-at-once',
    shows: 'one pass tells all of it, each with its place',
    workflow: `name: Bad_Name
version: 1.10
descriptoin: a typo
triggers:
  - type: cron
    schedule: "0 0 * * 7"
  - type: cron
    schedule: "* * * * * *"
    timezone: Mars/Olympus
  - type: quue
nodes:
  a: { path: ../../etc/passwd }
  b: { path: nodes/b.ts, timeout: 5 minutes, rerties: 3, retries: 99 }
  __proto__: { path: nodes/x.ts }
  c: { path: nodes/c.py }
  d-e: nodes/d.ts
edges:
  - { from: b, to: c }
  - { from: c, to: a }
  - { from: a, to: b }
  - { from: c, to: c }
  - { from: nowhere, to: c }
  - { from: b, to: c }
config:
  timeout: 99h
  retries: -1
  max_concurrency: many
deployment:
  enclave: kube-system
  mode: rwxrwxrw
  image: "not an image"
  resources:
    requests: { cpu: 2, memory: 1GiB }
    limits: { cpu: 1, disk: 1Gi }
contract:
  version: "2"
  dependencies:
    wildcard: { protocol: https, host: "*.example.com", port: 443 }
    url: { protocol: HTTPS, host: "https://example.com/x", port: 99999 }
    tentacular-mysql:
    api: { protocol: https, host: api.example.com, port: 443, auth: { type: bearer, secret: token } }
sidecars:
  - { name: engine, image: registry.example.com/x:1, port: 8080 }
  - { name: two, image: registry.example.com/x:1, port: 80, env: { "A-B": x, PASSWORD: 12345 } }
  - { name: api, image: registry.example.com/x:1, port: 9000, protocol: grpc, healthPath: /x }
`,
  },
  { name: 'empty', shows: 'nothing at all', workflow: '' },
  { name: 'not-yaml', shows: 'syntax errors carry their place', workflow: 'name: [\nversion: }\n  - x: "' },
  { name: 'a-list', shows: 'not a mapping', workflow: '- name: job\n' },
  { name: 'duplicate-keys', shows: 'a second key hides the first', workflow: `${job}name: other\n` },
  { name: 'bomb', shows: 'aliases that expand to a hundred million values', workflow: bomb },
  { name: 'alias-of-itself', shows: 'an alias inside its own anchor', workflow: `${job}config: &c { again: *c }\n` },
  { name: 'deep', shows: 'a hundred levels', workflow: `${job}config: ${'{a: '.repeat(100)}1${'}'.repeat(100)}\n` },
  {
    name: 'prototype',
    shows: 'names that reach into JavaScript prototypes, anywhere',
    workflow: `${job}config:\n  __proto__: { polluted: true }\n  constructor: x\n  list: [{ prototype: 1 }]\n`,
  },
  {
    name: 'invisible',
    shows: 'names with zero-width and direction characters',
    workflow: `name: "jo\u200bb"\nversion: "1.0.0"\nnodes:\n  "wo\u202erk": { path: "nodes/wo\u200drk.ts" }\n`,
  },
  { name: 'version-unquoted', shows: 'YAML took the version for a number', workflow: job.replace('"1.0.0"', '1.0') },
  {
    name: 'cycle',
    shows: 'the cycle is printed',
    workflow:
      'name: job\nversion: "1.0.0"\nnodes:\n  a: { path: nodes/work.ts }\n  b: { path: nodes/work.ts }\n  c: { path: nodes/work.ts }\nedges:\n  - { from: a, to: b }\n  - { from: b, to: c }\n  - { from: c, to: b }\n',
  },
  {
    name: 'hosts',
    shows: 'hosts that lead where no contract may: metadata, loopback, disguised addresses, the API server',
    workflow: contract(
      [
        ['metadata', '169.254.169.254'],
        ['metadata-name', 'metadata.google.internal'],
        ['mapped', '"::ffff:169.254.169.254"'],
        ['mapped-hex', '"::ffff:a9fe:a9fe"'],
        ['decimal', '"2852039166"'],
        ['hex', '0xa9fea9fe.'],
        ['octal', '0251.0376.0251.0376'],
        ['short', '"169.254.43518"'],
        ['loopback', '127.0.0.1'],
        ['loopback6', '"[::1]"'],
        ['itself', 'localhost'],
        ['api-server', 'kubernetes.default.svc.cluster.local'],
        ['single', 'echo'],
        ['unfinished', 'echo.svc'],
        ['flag', '"a.example.com --allow-all"'],
        ['list', '"a.example.com,b.example.com"'],
        ['upper', 'API.example.com'],
        ['everything', '0.0.0.0'],
      ]
        .map(([name, host]) => `    ${name}: { protocol: http, host: ${host}, port: 80 }\n`)
        .join(''),
    ),
    files: node,
  },
  {
    name: 'ranges',
    shows: 'private targets without a range, ranges that do not fit, the API server by address',
    workflow: contract(`    private: { protocol: tcp, host: 10.1.2.3, port: 80 }
    node: { protocol: tcp, host: 192.168.7.9, port: 10250 }
    elsewhere: { protocol: tcp, host: 10.1.2.3, port: 80, cidr: 10.9.0.0/16 }
    service: { protocol: http, host: echo.apps.svc, port: 80, cidr: 10.0.0.0/8 }
    port: { protocol: http, host: example.com, port: 80, targetPort: 8080 }
    api-server: { protocol: https, host: 198.51.100.7, port: 443 }
    link-local: { type: dynamic-target, cidr: 169.254.169.0/24, dynPorts: ["80/TCP"], reason: x }
    host-bits: { type: dynamic-target, cidr: 10.0.0.1/8, dynPorts: ["80/SCTP", "0/TCP", "80/TCP", "80/TCP"], reason: " " }
    bare: { type: dynamic-target }
    mixed: { type: static, host: example.com }
`),
    files: node,
  },
  {
    name: 'files',
    shows: 'names of files that lead elsewhere, hide, or hold secrets',
    workflow: job,
    files: {
      '../../etc/passwd': 'x',
      '/etc/passwd': 'x',
      'C:/windows': 'x',
      'nodes\\work.ts': 'x',
      'nodes/../x.ts': 'x',
      'nodes//x.ts': 'x',
      'nodes/.hidden.ts': 'x',
      'nodes/constructor': 'x',
      'nodes/\u0000.ts': 'x',
      'nodes/\u202egnp.ts': 'x',
      'secrets.yaml': 'token: x',
      '.env': 'TOKEN=x',
      'workflow.yaml': 'x',
      'import_map.json': '{}',
      [`${'a/'.repeat(150)}x.ts`]: 'x',
    },
  },
  {
    name: 'file-missing',
    shows: 'a node whose module did not come along',
    workflow: job,
    files: { 'nodes/other.ts': 'export default 1;' },
  },
  {
    name: 'too-large',
    shows: 'code above 900 KiB: its size, the limit, the largest files',
    workflow: job,
    files: {
      ...node,
      'nodes/large.ts': 'x'.repeat(600_000),
      'data/larger.json': 'y'.repeat(700_000),
      'lib/small.ts': 'z',
    },
  },
  {
    name: 'imports',
    shows: 'imports that no tentacle may have, with what to write instead',
    workflow: job,
    files: {
      'nodes/work.ts': `import a from 'zod';
import b from 'fs';
import c from 'npm:zod@3.25.76';
import d from 'jsr:@std/path@1.1.2';
import e from 'https://deno.land/std/path/mod.ts';
import f from 'https://esm.sh/ms@2.1.3';
import { g } from '../lib/helper';
import h from '../../../engine/main.js';
import i from '/engine/main.js';
import j from 'file:///engine/main.js';
import k from 'data:text/javascript,export default 1';
import l from 'node:child_process';
import { m } from 'tentacular';
import n = require('node:fs');
export * from './nowhere.ts';
const o = await import(a);
const p = await import(\`./\${b}.ts\`);
export default async () => [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
`,
      'lib/helper.ts': 'export const g = 1;\n',
      'lib/broken.ts': 'export default async function ( {\n',
    },
  },
];
