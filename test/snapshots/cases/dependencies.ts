import { contractCase, type GoldenCase } from './case.ts';

const api = { protocol: 'https', host: 'api.example.com', port: 443 };
const inCluster = 'tentacular-support.svc.cluster.local';

export const dependencyCases: readonly GoldenCase[] = [
  contractCase('dependency-none', 'without a contract only DNS is open', {}),
  contractCase(
    'dependency-public',
    'a public host: all addresses but private, shared, link-local and the cluster’s own',
    { api },
  ),
  contractCase(
    'dependency-public-cluster-outside-rfc1918',
    'a cluster with public ranges: they are excepted too, IPv6 as well, and the API server',
    { api },
    {
      podCidrs: ['10.244.0.0/16', '2001:db8:1::/48'],
      serviceCidrs: ['198.18.0.0/16'],
      nodeCidrs: ['203.0.113.0/24'],
      apiServerCidrs: ['198.51.100.7/32'],
    },
  ),
  contractCase('dependency-auth', 'a dependency with a secret: mounted as a file, never in the environment', {
    api: { ...api, auth: { type: 'bearer', secret: 'github.token' } },
  }),
  contractCase('dependency-two', 'one rule a dependency, in the order of names', {
    zebra: { ...api, host: 'zebra.example.com', port: 8443 },
    api,
  }),
  contractCase('dependency-service', 'a Service of the cluster: its namespace, the same port', {
    db: { protocol: 'postgresql', host: 'db.data.svc.cluster.local', port: 5432 },
  }),
  contractCase(
    'dependency-service-target-port',
    'a Service whose pods listen elsewhere: the policy names the pod’s port, the flags the Service’s',
    {
      echo: { protocol: 'http', host: 'echo.example-services.svc', port: 80, targetPort: 9000 },
    },
  ),
  contractCase('dependency-service-short', 'service.namespace: a Service, unless its last part is a public domain', {
    echo: { protocol: 'http', host: 'echo.example-services', port: 80 },
    shop: { protocol: 'https', host: 'example.shop', port: 443 },
  }),
  contractCase(
    'dependency-private-host',
    'a private host outside the cluster: exactly the range that the contract says',
    {
      ledger: { protocol: 'https', host: 'ledger.corp.example.com', port: 443, cidr: '10.20.30.0/24' },
    },
  ),
  contractCase('dependency-ipv4', 'an IPv4 literal: one address', {
    box: { protocol: 'tcp', host: '203.0.113.9', port: 9000 },
  }),
  contractCase('dependency-ipv6', 'an IPv6 literal: one address, in brackets in the flags', {
    box: { protocol: 'tcp', host: '2001:DB8:0:0::9', port: 9000 },
  }),
  contractCase('dependency-private-ipv4', 'a private address needs its cidr', {
    box: { protocol: 'tcp', host: '10.9.8.7', port: 9000, cidr: '10.9.8.7/32' },
  }),
  contractCase(
    'dependency-dynamic',
    'a dynamic target: its range and ports, for the network policy and for the engine',
    {
      scan: {
        type: 'dynamic-target',
        cidr: '203.0.113.0/24',
        dynPorts: ['443/TCP', '53/UDP'],
        reason: 'addresses come from the input',
      },
    },
  ),
  contractCase('dependency-dynamic-everywhere', 'a dynamic target of everything: still without private ranges', {
    scan: { type: 'dynamic-target', cidr: '0.0.0.0/0', dynPorts: ['443/TCP'], reason: 'web crawler' },
  }),
  contractCase('dependency-dynamic-private', 'a dynamic target within private ranges: the cluster’s own stay shut', {
    scan: { type: 'dynamic-target', cidr: '10.0.0.0/8', dynPorts: ['8443/TCP'], reason: 'the office network' },
  }),
  contractCase(
    'exoskeleton-all',
    'the three backing services: in the cluster, on another port, outside by range; their own Secret',
    {
      'tentacular-postgres': null,
      'tentacular-nats': null,
      'tentacular-rustfs': null,
      api: { ...api, auth: { type: 'basic', secret: 'partner.password' } },
    },
    {
      exoskeleton: {
        postgres: { host: `postgres.${inCluster}`, port: 5432 },
        nats: { host: `nats.${inCluster}`, port: 4222, targetPort: 14222 },
        rustfs: { host: 's3.corp.example.com', port: 443, cidr: '10.77.0.0/24' },
      },
    },
  ),
];
