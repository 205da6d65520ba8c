import { contains, formatCidr, parseCidr } from '../model/ip.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { hostRule, parseHost, refusedCidrs } from './host.ts';
import type { Reader } from './reader.ts';
import { identifierRule, isIdentifier } from './rules.ts';
import {
  type Contract,
  type Dependency,
  type DependencyAuth,
  type DynamicTargetDependency,
  exoskeletonDependencies,
  type HostDependency,
} from './workflow.ts';
import { childPath, shorten } from './yaml-source.ts';

const maxDependencies = 100;
const portRange = { min: 1, max: 65_535 } as const;
const cidrRule = 'an address range without host bits, like 10.20.0.0/16 or 2001:db8::/32';
const secretPattern = /^[A-Za-z][-A-Za-z0-9_]{0,62}\.[A-Za-z_][-A-Za-z0-9_]{0,62}$/;

/** `contract`: every host that nodes may reach; nothing else is reachable. No contract: no dependency. */
export function parseContract(reader: Reader, value: JsonValue | undefined): Contract {
  const empty: Contract = { version: '1', dependencies: {} };
  if (value === undefined) return empty;
  const fields = reader.fields(value, 'contract', ['version', 'dependencies']);
  if (!fields) return empty;
  const version =
    fields.version === undefined || fields.version === 1
      ? '1'
      : reader.oneOf(fields.version, 'contract.version', ['1', '1.0'] as const);
  const dependencies: Record<string, Dependency> = {};
  const section = fields.dependencies === undefined ? {} : reader.mapping(fields.dependencies, 'contract.dependencies');
  const names = Object.keys(section ?? {});
  if (names.length > maxDependencies) {
    reader.fault('contract.dependencies', 'has too many entries', {
      found: names.length,
      allowed: `at most ${maxDependencies}`,
    });
  }
  for (const name of names.slice(0, maxDependencies)) {
    const dependency = parseDependency(reader, name, section?.[name]);
    if (dependency) dependencies[name] = dependency;
  }
  return { version: version ?? '1', dependencies };
}

function parseDependency(reader: Reader, name: string, value: JsonValue | undefined): Dependency | undefined {
  const path = childPath('contract.dependencies', name);
  const service = exoskeletonDependencies.find((known) => known === name);
  if (service) {
    // A bare key: the registrar fills in the rest.
    if (value === null || value === undefined || (typeof value === 'object' && Object.keys(value).length === 0))
      return { type: 'exoskeleton', service };
    reader.fault(path, 'is filled in by the exoskeleton', { allowed: 'the bare key without fields' });
    return undefined;
  }
  if (name.startsWith('tentacular-')) {
    reader.fault(path, 'is a reserved name', {
      found: name,
      allowed: `${exoskeletonDependencies.join(', ')}, or a name without tentacular-`,
      part: 'key',
    });
    return undefined;
  }
  if (!isIdentifier(name)) {
    reader.fault(path, 'is no name for a dependency', { found: shorten(name), allowed: identifierRule, part: 'key' });
    return undefined;
  }
  const fields = reader.mapping(value, path);
  if (!fields) return undefined;
  if (fields.type === 'dynamic-target') return parseDynamicTarget(reader, value, path);
  if (fields.type !== undefined && fields.type !== 'host')
    reader.oneOf(fields.type, `${path}.type`, ['host', 'dynamic-target']);
  return parseHostDependency(reader, value, path);
}

function parseHostDependency(reader: Reader, value: JsonValue | undefined, path: string): HostDependency | undefined {
  const fields = reader.fields(value, path, ['type', 'protocol', 'host', 'port', 'targetPort', 'cidr', 'auth']);
  if (!fields) return undefined;
  const protocolRule = {
    max: 32,
    pattern: /^[a-z][-a-z0-9+.]*$/,
    allowed: 'a protocol in lower case like https, http, grpc, postgresql, redis',
  };
  const protocol = reader.text(fields.protocol, `${path}.protocol`, protocolRule);
  const port = reader.integer(fields.port, `${path}.port`, portRange);
  const host = reader.text(fields.host, `${path}.host`, { allowed: hostRule });
  const cidr = fields.cidr === undefined ? undefined : cidrOf(reader, fields.cidr, `${path}.cidr`);
  const auth = fields.auth === undefined ? undefined : parseAuth(reader, fields.auth, `${path}.auth`);
  const parsed = host === undefined ? undefined : parseHost(host);
  if (parsed?.fault) {
    const { message, hint } = parsed.fault;
    reader.fault(`${path}.host`, message, {
      found: shorten(host ?? ''),
      allowed: hostRule,
      ...(hint === undefined ? {} : { hint }),
    });
    return undefined;
  }
  if (!parsed || protocol === undefined || port === undefined) return undefined;
  const { target } = parsed;
  if (cidr !== undefined && target.kind === 'cluster') {
    reader.fault(`${path}.cidr`, 'does not go with a Service of the cluster', {
      found: cidr,
      allowed: 'no cidr; the rule selects the namespace',
    });
  }
  if (cidr !== undefined && target.kind === 'address') {
    const range = parseCidr(cidr);
    if (range && !contains(range, target.address)) {
      reader.fault(`${path}.cidr`, 'does not contain the host', {
        found: cidr,
        allowed: `a range around ${parsed.host}`,
      });
    }
  }
  let targetPort: number | undefined;
  if (fields.targetPort !== undefined) {
    targetPort = reader.integer(fields.targetPort, `${path}.targetPort`, portRange);
    if (target.kind !== 'cluster') {
      const allowed = 'only with a Service of the cluster, whose pods listen on another port';
      reader.fault(`${path}.targetPort`, 'does not go with this host', { found: fields.targetPort, allowed });
    }
  }
  return {
    type: 'host',
    protocol,
    host: parsed.host,
    port,
    ...(targetPort === undefined ? {} : { targetPort }),
    ...(cidr === undefined ? {} : { cidr }),
    ...(auth === undefined ? {} : { auth }),
  };
}

function parseAuth(reader: Reader, value: JsonValue, path: string): DependencyAuth | undefined {
  const fields = reader.fields(value, path, ['type', 'secret']);
  if (!fields) return undefined;
  const typeRule = {
    max: 32,
    pattern: /^[a-z][-a-z0-9]*$/,
    allowed: 'a word in lower case like bearer, basic, api-key, password',
  };
  const type = reader.text(fields.type, `${path}.type`, typeRule);
  const secret = reader.text(fields.secret, `${path}.secret`, {
    max: 127,
    pattern: secretPattern,
    allowed: '<service>.<key>: which key of which service in the secrets of this tentacle',
  });
  if (secret === undefined || type === undefined) return undefined;
  const [service = '', key = ''] = secret.split('.');
  if (service.startsWith('tentacular-')) {
    reader.fault(`${path}.secret`, 'is a service of the exoskeleton', {
      found: secret,
      allowed: 'a service of your own; write the bare key instead',
    });
    return undefined;
  }
  if (!isIdentifier(service) || key in {}) {
    reader.fault(`${path}.secret`, 'is a name that JavaScript reserves for prototypes', { found: secret });
    return undefined;
  }
  return { type, secret };
}

function parseDynamicTarget(
  reader: Reader,
  value: JsonValue | undefined,
  path: string,
): DynamicTargetDependency | undefined {
  const fields: JsonObject = reader.fields(value, path, ['type', 'cidr', 'dynPorts', 'reason']) ?? {};
  const cidr = cidrOf(reader, fields.cidr, `${path}.cidr`);
  const reason = reader.text(fields.reason, `${path}.reason`, {
    max: 500,
    pattern: /\S/,
    allowed: 'why no host can be named',
  });
  const items = reader.list(fields.dynPorts, `${path}.dynPorts`, { max: 20 });
  if (items.length === 0 && (fields.dynPorts === undefined || Array.isArray(fields.dynPorts))) {
    reader.wrongType(`${path}.dynPorts`, fields.dynPorts, 'a list like ["443/TCP"]');
  }
  const ports: { port: number; protocol: 'TCP' | 'UDP' }[] = [];
  for (const [index, item] of items.entries()) {
    const at = childPath(`${path}.dynPorts`, index);
    const match = typeof item === 'string' ? /^(\d{1,5})\/(TCP|UDP)$/.exec(item) : null;
    const port = Number(match?.[1]);
    const protocol = match?.[2] === 'UDP' ? 'UDP' : 'TCP';
    if (!match || port < 1 || port > 65_535) reader.wrongType(at, item, '<port>/TCP or <port>/UDP, e.g. "443/TCP"');
    else if (ports.some((known) => known.port === port && known.protocol === protocol))
      reader.fault(at, 'stands twice', { found: item });
    else ports.push({ port, protocol });
  }
  if (cidr === undefined || reason === undefined || ports.length === 0) return undefined;
  return { type: 'dynamic-target', cidr, ports, reason };
}

/** A range in canonical form that is not refused outright (link-local, loopback, multicast). */
function cidrOf(reader: Reader, value: JsonValue | undefined, path: string): string | undefined {
  const text = reader.text(value, path, { max: 64, allowed: cidrRule });
  if (text === undefined) return undefined;
  const cidr = parseCidr(text);
  if (!cidr) {
    reader.fault(path, 'is no address range', { found: text, allowed: cidrRule });
    return undefined;
  }
  const refused = refusedCidrs.find((range) => contains(range.cidr, cidr));
  if (refused) {
    reader.fault(path, refused.reason, { found: text, allowed: 'a range that nodes may reach' });
    return undefined;
  }
  return formatCidr(cidr);
}
