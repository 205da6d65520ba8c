import fc from 'fast-check';
import type { JsonObject } from '../../constructs/model/json.ts';

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,10}[a-z0-9])?$/);
const port = fc.integer({ min: 1, max: 65_535 });
const protocol = fc.constantFrom('https', 'http', 'postgresql', 'tcp');
const auth = fc.option(
  fc.record({
    type: fc.constantFrom('bearer', 'basic', 'api-key'),
    secret: fc.constantFrom('github.token', 'partner.api_key'),
  }),
  { nil: undefined },
);

const publicHost = fc.record({ protocol, host: label.map((name) => `${name}.example.com`), port, auth });
const service = fc
  .record({
    protocol,
    name: label,
    namespace: label,
    suffix: fc.constantFrom('svc', 'svc.cluster.local'),
    port,
    targetPort: fc.option(port, { nil: undefined }),
  })
  .map(({ name, namespace, suffix, ...rest }) => ({ ...rest, host: `${name}.${namespace}.${suffix}` }))
  .filter(({ host }) => !host.startsWith('kubernetes.default.'));
const privateHost = fc.record({
  protocol,
  host: label.map((name) => `${name}.corp.example.com`),
  port,
  cidr: fc.constantFrom('10.20.0.0/16', '192.168.44.0/24'),
});
const address = fc.record({ protocol, host: fc.constantFrom('203.0.113.9', '2001:db8::9'), port });
const dynamic = fc.record({
  type: fc.constant('dynamic-target'),
  cidr: fc.constantFrom('0.0.0.0/0', '10.0.0.0/8', '203.0.113.0/24', '::/0'),
  dynPorts: fc.uniqueArray(fc.constantFrom('443/TCP', '53/UDP', '80/TCP'), { minLength: 1, maxLength: 3 }),
  reason: fc.constant('the input names the host'),
});

const dependency: fc.Arbitrary<JsonObject> = fc
  .oneof(publicHost, service, privateHost, address, dynamic)
  .map((value): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject);
const names = fc
  .stringMatching(/^[a-z][-A-Za-z0-9_]{0,20}$/)
  .filter((name) => !(name in {}) && name !== 'prototype' && !name.startsWith('tentacular-'));
const exoskeleton = fc.subarray(['tentacular-postgres', 'tentacular-nats', 'tentacular-rustfs']);

/** A contract with any form of dependency. */
export const contractArbitrary = fc
  .tuple(fc.dictionary(names, dependency, { maxKeys: 4 }), exoskeleton)
  .map(([dependencies, services]) => ({
    version: '1',
    dependencies: { ...dependencies, ...Object.fromEntries(services.map((name) => [name, null])) },
  }));
