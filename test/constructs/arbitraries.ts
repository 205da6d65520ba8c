import fc from 'fast-check';
import type { JsonObject } from '../../constructs/model/json.ts';
import { isEnclaveName } from '../../constructs/model/names.ts';
import type { RendererOptions } from '../../constructs/model/options.ts';
import type { EnclaveSource, TentacleSource } from '../../constructs/source.ts';
import { baseOptions } from '../snapshots/cases/case.ts';
import { contractArbitrary } from './contract-arbitrary.ts';

/** A source that must render, and a cluster to render it for. */
export interface Rendering {
  readonly source: TentacleSource;
  readonly options: RendererOptions;
}

const labelOf = (max: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[a-z]([-a-z0-9]{0,${max - 2}}[a-z0-9])?$`));
const tentacleNames = labelOf(48);
const enclaveNames = labelOf(63).filter(isEnclaveName);
const identifiers = fc
  .stringMatching(/^[A-Za-z][-A-Za-z0-9_]{0,30}$/)
  .filter((name) => !(name in {}) && name !== 'prototype' && !name.startsWith('tentacular-'));
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
/** Printable, and everything that YAML or an annotation could trip over. */
const prose = fc.oneof(
  fc.lorem(),
  fc.constantFrom('', 'on', '12:30', '~', '{{ x }}', '"', "it's: #1", 'multi\nline\n', '0o17', 'ünïcode ✓', ' spaces '),
);
const durations = fc.constantFrom('1s', '500ms', '2m', '1h30m');
const cpu = fc.constantFrom('10m', '250m', '0.1', '1', '1.5', '2000m');
const memory = fc.constantFrom('16Mi', '128Mi', '0.5Gi', '1Gi', '500M', '123456789');

/** Only limits, only requests, or both with the request no higher. */
const resources = fc.oneof(
  fc.record({ limits: fc.record({ cpu, memory }, { requiredKeys: [] }) }),
  fc.record({ requests: fc.record({ cpu, memory }, { requiredKeys: [] }) }),
  fc.record({ requests: fc.constant({ cpu: '10m', memory: '16Mi' }), limits: fc.record({ cpu, memory }) }),
);

const crons = fc.record(
  {
    type: fc.constant('cron'),
    schedule: fc.constantFrom(
      '0 9 * * *',
      '*/5 * * * MON-FRI',
      '@daily',
      '@every 90s',
      '0 0 31 2 *',
      '15,45 8-18/2 ? JAN,JUL ?',
    ),
    timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    overlap: fc.constantFrom('skip', 'allow'),
    catchUp: fc.constantFrom('none', 'last', 'all'),
    jitter: durations,
    deadline: durations,
  },
  { requiredKeys: ['type', 'schedule'] },
);
const triggers = fc.oneof(
  fc.constant([{ type: 'manual' }]),
  crons.map((cron) => [cron]),
  fc
    .uniqueArray(labelOf(20), { minLength: 1, maxLength: 3 })
    .chain((names) =>
      fc.tuple(...names.map(() => crons)).map((all) => all.map((cron, index) => ({ ...cron, name: names[index] }))),
    ),
);

const sidecarFields = fc.record(
  {
    image: fc.constantFrom(
      'registry.example.com/helper:1.0',
      'helper',
      'localhost:5000/a/b_c:tag',
      `x.io/y@sha256:${'0f'.repeat(32)}`,
    ),
    protocol: fc.constantFrom('http', 'grpc'),
    command: fc.array(prose, { minLength: 1, maxLength: 2 }),
    args: fc.array(prose, { maxLength: 2 }),
    env: fc.dictionary(fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/), prose, { maxKeys: 3 }),
    resources,
  },
  { requiredKeys: ['image'] },
);
const sidecars = fc
  .tuple(
    fc.uniqueArray(
      labelOf(50).filter((name) => name !== 'engine'),
      { maxLength: 3 },
    ),
    fc.uniqueArray(
      fc.integer({ min: 1024, max: 65_535 }).filter((port) => port !== 8080),
      { minLength: 3, maxLength: 3 },
    ),
    fc.array(sidecarFields, { minLength: 3, maxLength: 3 }),
  )
  .map(([names, ports, fields]) =>
    names.map((name, index): JsonObject => ({ ...fields[index], name, port: ports[index] })),
  );

const paths = fc.constantFrom('nodes/a.ts', 'nodes/b.ts', 'nodes/deep/c_d.ts', 'nodes/e.mjs');
const graph = fc
  .tuple(
    fc.uniqueArray(identifiers, { minLength: 1, maxLength: 6 }),
    fc.array(paths, { minLength: 6, maxLength: 6 }),
    fc.array(fc.boolean(), { minLength: 15, maxLength: 15 }),
  )
  .map(([names, modules, joined]) => {
    const nodes: Record<string, JsonObject> = {};
    for (const [index, name] of names.entries()) nodes[name] = { path: modules[index] ?? 'nodes/a.ts' };
    // Edges lead from earlier to later nodes only: no cycle.
    const pairs = names.flatMap((from, index) => names.slice(index + 1).map((to) => ({ from, to })));
    return { nodes, edges: pairs.filter((_, index) => joined[index]) };
  });

/** A workflow.yaml as an object, for which every dependency of the exoskeleton exists. */
export const workflows: fc.Arbitrary<JsonObject> = fc
  .record({
    name: tentacleNames,
    version: fc.constantFrom('1.0.0', '1.0', '0.2.0-rc.1', '3.4.5+build.7', '10.20.30'),
    description: optional(prose),
    tags: optional(fc.array(labelOf(20), { maxLength: 3 })),
    environment: optional(labelOf(20)),
    triggers: optional(triggers),
    graph,
    config: optional(
      fc.record(
        {
          timeout: durations,
          retries: fc.nat(3),
          max_concurrency: fc.integer({ min: 1, max: 10 }),
          extra: fc.jsonValue({ maxDepth: 2 }).map((value) => scrubbed(value)),
        },
        { requiredKeys: [] },
      ),
    ),
    deployment: optional(fc.record({ mode: fc.constantFrom('private', 'rwxr-xr-x'), resources }, { requiredKeys: [] })),
    contract: optional(contractArbitrary),
    sidecars: optional(sidecars),
  })
  .map(
    ({ graph: { nodes, edges }, ...rest }): JsonObject =>
      JSON.parse(JSON.stringify({ ...rest, nodes, edges })) as JsonObject,
  )
  .filter(({ contract, sidecars: all }) => !sharesName(contract, all));

/** JSON without keys that the parser rightly refuses. */
function scrubbed(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, inner: unknown) =>
      key !== '' && (!/^[A-Za-z]+$/.test(key) || key in {} || key === 'prototype') ? undefined : inner,
    ) ?? 'null',
  );
}

function sharesName(contract: unknown, all: unknown): boolean {
  const dependencies =
    typeof contract === 'object' && contract !== null && 'dependencies' in contract
      ? Object.keys(contract.dependencies ?? {})
      : [];
  return Array.isArray(all) && all.some((sidecar: { name: string }) => dependencies.includes(sidecar.name));
}

const files = {
  'nodes/a.ts': "import { one } from '../lib/one.ts';\nexport default async () => one;\n",
  'nodes/b.ts': "import type { Context } from 'tentacular';\nexport default async (ctx: Context) => ctx.runId;\n",
  'nodes/deep/c_d.ts': "import data from '../../data.json' with { type: 'json' };\nexport default async () => data;\n",
  'nodes/e.mjs': 'export default async () => null;\n',
  'lib/one.ts': 'export const one = 1;\n',
  'data.json': '{"on": "12:30"}\n',
};

const exoskeleton = {
  postgres: { host: 'postgres.tentacular-support.svc.cluster.local', port: 5432 },
  nats: { host: 'nats.tentacular-support.svc', port: 4222, targetPort: 14_222 },
  rustfs: { host: 's3.corp.example.com', port: 443, cidr: '10.77.0.0/24' },
};

/** Renderer options with any of their optional parts. */
export const rendererOptions: fc.Arbitrary<RendererOptions> = fc
  .record(
    {
      runtimeClassName: fc.constant('gvisor'),
      dns: fc.constantFrom<RendererOptions['dns'][]>(
        baseOptions.dns,
        { cidrs: ['169.254.20.10/32'] },
        { namespaceLabels: { a: 'b' }, port: 5353 },
      ),
      apiServerCidrs: fc.constant(['198.51.100.7/32']),
      otlp: fc.constant({
        endpoint: 'http://collector.observability.svc:4318',
        namespace: 'observability',
        port: 4318,
      }),
      imagePullSecrets: fc.constant(['registry']),
      imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never'),
      nodeSelector: fc.constant({ 'kubernetes.io/os': 'linux' }),
      tolerations: fc.constant([
        { key: 'spot', operator: 'Exists' as const, effect: 'NoExecute' as const, tolerationSeconds: 60 },
      ]),
      podCidrs: fc.constantFrom(['10.244.0.0/16'], ['10.244.0.0/16', 'fd00:1::/48'], ['100.64.0.0/10']),
    },
    { requiredKeys: [] },
  )
  .map((parts) => ({ ...baseOptions, exoskeleton, ...parts }));

/** Any valid tentacle for any cluster. */
export const renderings: fc.Arbitrary<Rendering> = fc.record({
  source: fc.record(
    {
      enclave: enclaveNames,
      workflow: workflows,
      files: fc.constant(files),
      managedByGit: fc.boolean(),
      gitSha: fc.constant('0123abc'),
      name: tentacleNames,
    },
    { requiredKeys: ['enclave', 'workflow', 'files'] },
  ),
  options: rendererOptions,
});

/** Any valid enclave. */
export const enclaveSources: fc.Arbitrary<EnclaveSource> = fc.record(
  {
    name: enclaveNames,
    ownerSub: fc.uuid(),
    ownerEmail: fc.constantFrom('Ada@Example.com', 'x@y'),
    ownerName: fc.constantFrom('Ada Lovelace', 'O’Neil: "x"'),
    members: fc.array(fc.constantFrom('b@x.org', 'A@x.org', 'client:ci'), { maxLength: 3 }),
    mode: fc.constantFrom('private', 'rwxrwx---'),
    defaultMode: fc.constantFrom('open-run'),
    quotaPreset: fc.constantFrom('small', 'medium', 'large'),
    platform: fc.constant('slack'),
    channelId: fc.constant('C1'),
    channelName: fc.constant('#on'),
    status: fc.constantFrom('active' as const, 'frozen' as const),
  },
  { requiredKeys: ['name'] },
);
