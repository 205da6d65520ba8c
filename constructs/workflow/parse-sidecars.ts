import type { JsonValue } from '../model/json.ts';
import { parseResources } from './parse-resources.ts';
import type { Reader } from './reader.ts';
import { imageRule, isImage } from './rules.ts';
import type { Sidecar } from './workflow.ts';
import { childPath, shorten } from './yaml-source.ts';

const maxSidecars = 5;
const enginePort = 8080;
/** Name of the engine's own container. */
export const engineContainerName = 'engine';
const sidecarKeys = ['name', 'image', 'port', 'protocol', 'healthPath', 'command', 'args', 'env', 'resources'];
const nameRule = 'a lower-case DNS label of at most 50 characters, not engine';
const namePattern = /^[a-z](?:[-a-z0-9]{0,48}[a-z0-9])?$/;
const envName = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;

/**
 * `sidecars`: containers beside the engine that nodes reach on localhost; names and ports are unique.
 * @param dependencies Names of the contract: nodes find both by `ctx.dependency(name)`.
 */
export function parseSidecars(
  reader: Reader,
  value: JsonValue | undefined,
  dependencies: readonly string[],
): Sidecar[] {
  const sidecars: Sidecar[] = [];
  const names = new Set<string>([engineContainerName]);
  const ports = new Set<number>();
  for (const [index, item] of reader.list(value, 'sidecars', { max: maxSidecars }).entries()) {
    const path = childPath('sidecars', index);
    const fields = reader.fields(item, path, sidecarKeys);
    if (!fields) continue;
    const name = reader.text(fields.name, `${path}.name`, { pattern: namePattern, allowed: nameRule });
    if (name !== undefined && names.has(name)) {
      reader.fault(`${path}.name`, 'is taken', { found: name, allowed: nameRule });
    }
    if (name !== undefined && dependencies.includes(name)) {
      const allowed = 'different names: nodes find both by ctx.dependency(name)';
      reader.fault(`${path}.name`, 'is also the name of a dependency', { found: name, allowed });
    }
    const image = parseImage(reader, fields.image, `${path}.image`);
    const port = reader.integer(fields.port, `${path}.port`, { min: 1024, max: 65_535 });
    if (port === enginePort || (port !== undefined && ports.has(port))) {
      const allowed = 'a port of its own from 1024 to 65535, not 8080 (the engine listens there)';
      reader.fault(`${path}.port`, 'is taken', { found: port, allowed });
    }
    if (name !== undefined) names.add(name);
    if (port !== undefined) ports.add(port);
    const protocol =
      fields.protocol === undefined
        ? 'http'
        : reader.oneOf(fields.protocol, `${path}.protocol`, ['http', 'grpc'] as const);
    const healthRule = {
      max: 200,
      pattern: /^\/[-A-Za-z0-9_.~/%?=&]*$/,
      allowed: 'a path that begins with /, e.g. /health',
    };
    const healthPath =
      fields.healthPath === undefined ? undefined : reader.text(fields.healthPath, `${path}.healthPath`, healthRule);
    if (fields.healthPath !== undefined && protocol === 'grpc') {
      reader.fault(`${path}.healthPath`, 'does not go with protocol grpc', {
        allowed: 'nothing: gRPC has its own health service',
      });
    }
    const command = texts(reader, fields.command, `${path}.command`);
    const args = texts(reader, fields.args, `${path}.args`);
    const env = parseEnv(reader, fields.env, `${path}.env`);
    const resources = parseResources(reader, fields.resources, `${path}.resources`);
    if (name === undefined || image === undefined || port === undefined || protocol === undefined) continue;
    sidecars.push({
      name,
      image,
      port,
      protocol,
      ...(healthPath === undefined ? {} : { healthPath }),
      ...(command === undefined ? {} : { command }),
      ...(args === undefined ? {} : { args }),
      ...(env === undefined ? {} : { env }),
      ...(resources === undefined ? {} : { resources }),
    });
  }
  return sidecars;
}

/** An image reference, or a fault. */
export function parseImage(reader: Reader, value: JsonValue | undefined, path: string): string | undefined {
  const text = reader.text(value, path, { max: 512, allowed: imageRule });
  if (text === undefined || isImage(text)) return text;
  reader.fault(path, 'is no image reference', { found: shorten(text), allowed: imageRule });
  return undefined;
}

function texts(reader: Reader, value: JsonValue | undefined, path: string): string[] | undefined {
  if (value === undefined) return undefined;
  const items = reader.list(value, path, { max: 100 });
  const found = items.map((item, index) => reader.text(item, childPath(path, index), { max: 4096, prose: true }));
  return found.filter((text) => text !== undefined);
}

function parseEnv(reader: Reader, value: JsonValue | undefined, path: string): Record<string, string> | undefined {
  if (value === undefined) return undefined;
  const section = reader.mapping(value, path);
  if (!section) return undefined;
  const env: Record<string, string> = {};
  for (const name of Object.keys(section)) {
    const at = childPath(path, name);
    if (!envName.test(name)) {
      reader.fault(at, 'is no name for a variable', {
        found: shorten(name),
        allowed: 'letters, digits and underscores, no digit first',
        part: 'key',
      });
      continue;
    }
    // Somebody may have put a password here: its value never goes into a message.
    const text = reader.text(section[name], at, {
      max: 4096,
      prose: true,
      hideValue: true,
      allowed: 'text; quote numbers and booleans',
    });
    if (text !== undefined) env[name] = text;
  }
  return env;
}
