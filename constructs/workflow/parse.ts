import parseSemver from 'semver/functions/parse.js';
import { type Fault, invalidInput } from '../model/errors.ts';
import type { JsonObject, JsonValue } from '../model/json.ts';
import { modeRule, parseMode } from '../model/mode.ts';
import { enclaveNameRule, isEnclaveName, isTentacleName, tentacleNameRule } from '../model/names.ts';
import { parseContract } from './parse-contract.ts';
import { maxRetries, maxTimeoutMs, parseEdges, parseNodes } from './parse-graph.ts';
import { parseResources } from './parse-resources.ts';
import { parseImage, parseSidecars } from './parse-sidecars.ts';
import { parseTriggers } from './parse-triggers.ts';
import { Reader } from './reader.ts';
import { durationOf } from './rules.ts';
import type { DeploymentSection, Workflow, WorkflowConfig } from './workflow.ts';
import { childPath, type Position, sourceOfObject, sourceOfYaml } from './yaml-source.ts';

const topLevelKeys = [
  'name',
  'version',
  'description',
  'tags',
  'environment',
  'triggers',
  'nodes',
  'edges',
  'config',
  'deployment',
  'contract',
  'sidecars',
];

/** A workflow, or everything that is wrong with its source; never both. */
export type CheckedWorkflow = (
  | { readonly workflow: Workflow; readonly draft?: never; readonly faults: readonly [] }
  | {
      readonly workflow?: never;
      /** What could be read in spite of the faults: good for finding more of them, and for nothing else. */
      readonly draft?: Workflow;
      readonly faults: readonly Fault[];
    }
) & {
  /** Where the value at a path stands, for faults that others find; undefined for input that was no text. */
  locate(path: string): Position | undefined;
};

/**
 * Reads workflow.yaml, as text or as an object, and fills in every default.
 * @throws TentacularError `invalid_input` with all faults at once; line and column where the input was text.
 */
export function parseWorkflow(input: string | JsonObject): Workflow {
  const { workflow, faults } = checkWorkflow(input);
  if (!workflow) throw invalidInput('workflow.yaml', faults);
  return workflow;
}

/** The same without throwing, for callers that have more to check and report all of it together. */
export function checkWorkflow(input: string | JsonObject): CheckedWorkflow {
  const source = typeof input === 'string' ? sourceOfYaml(input) : sourceOfObject(input);
  const locate = (path: string): Position | undefined => source.position(path);
  if (source.value === undefined) return { faults: source.faults, locate };
  const reader = new Reader(source);
  const fields = reader.fields(source.value, '', topLevelKeys);
  if (!fields) return { faults: inOrder(reader.faults), locate };

  const name = reader.text(fields.name, 'name', { allowed: tentacleNameRule });
  if (name !== undefined && !isTentacleName(name))
    reader.fault('name', 'is no name for a tentacle', { found: name, allowed: tentacleNameRule });
  const version = parseVersion(reader, fields.version);
  const description =
    fields.description === undefined
      ? undefined
      : reader.text(fields.description, 'description', { max: 2000, prose: true });
  const tags = parseTags(reader, fields.tags);
  const environmentRule = {
    max: 63,
    pattern: /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/,
    allowed: 'a lower-case DNS label like production',
  };
  const environment =
    fields.environment === undefined ? undefined : reader.text(fields.environment, 'environment', environmentRule);
  const contract = parseContract(reader, fields.contract);
  const dependencies = Object.keys(contract.dependencies);
  const triggers = parseTriggers(reader, fields.triggers, dependencies);
  const nodes = parseNodes(reader, fields.nodes);
  const edges = parseEdges(reader, fields.edges, nodes);
  const config = parseConfig(reader, fields.config);
  const deployment = parseDeployment(reader, fields.deployment);
  const sidecars = parseSidecars(reader, fields.sidecars, dependencies);
  const workflow: Workflow = {
    name: name ?? '',
    version: version ?? '',
    ...(description === undefined ? {} : { description }),
    ...(tags === undefined ? {} : { tags }),
    ...(environment === undefined ? {} : { environment }),
    triggers,
    nodes,
    edges,
    config,
    deployment,
    contract,
    sidecars,
  };
  const { faults } = reader;
  return faults.length === 0 ? { workflow, faults: [], locate } : { draft: workflow, faults: inOrder(faults), locate };
}

/** In the order of the text, as a person reads it; faults without a place come first. */
function inOrder(faults: readonly Fault[]): Fault[] {
  return faults.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

const versionRule = 'a quoted semantic version like "1.2.3" or "1.0", at most 63 characters, a letter or digit last';

function parseVersion(reader: Reader, value: JsonValue | undefined): string | undefined {
  if (typeof value === 'number') {
    // YAML reads 1.10 as the number 1.1: the version that was meant is gone.
    reader.wrongType('version', value, versionRule, { hint: 'put it in quotes' });
    return undefined;
  }
  const text = reader.text(value, 'version', { max: 63, allowed: versionRule });
  if (text === undefined) return undefined;
  const full = /^\d+\.\d+$/.test(text) ? `${text}.0` : text;
  // A label's value ends in a letter or digit; semver alone would allow 1.0.0-a-.
  if (/^\d/.test(full) && parseSemver(full)?.raw === full && /[A-Za-z0-9]$/.test(full)) return full;
  reader.fault('version', 'is no semantic version', { found: text, allowed: versionRule });
  return undefined;
}

function parseTags(reader: Reader, value: JsonValue | undefined): string[] | undefined {
  if (value === undefined) return undefined;
  const rule = {
    max: 63,
    pattern: /^[A-Za-z0-9](?:[-A-Za-z0-9_.:/]*[A-Za-z0-9])?$/,
    allowed: 'letters, digits and - _ . : /, at most 63',
  };
  const items = reader.list(value, 'tags', { max: 20 });
  const tags = items
    .map((item, index) => reader.text(item, childPath('tags', index), rule))
    .filter((tag) => tag !== undefined);
  return [...new Set(tags)].sort();
}

/** Most bytes of `config` as JSON. */
const maxConfigLength = 65_536;

function parseConfig(reader: Reader, value: JsonValue | undefined): WorkflowConfig {
  const values = value === undefined || value === null ? {} : (reader.mapping(value, 'config') ?? {});
  const timeoutMs = durationOf(reader, values.timeout, 'config.timeout', { minMs: 100, maxMs: maxTimeoutMs }) ?? 30_000;
  const whole = (key: string, fallback: number, range: { readonly min: number; readonly max: number }): number =>
    values[key] === undefined ? fallback : (reader.integer(values[key], `config.${key}`, range) ?? fallback);
  const retries = whole('retries', 0, { min: 0, max: maxRetries });
  const maxConcurrency = whole('max_concurrency', 1, { min: 1, max: 100 });
  const { length } = JSON.stringify(values);
  if (length > maxConfigLength)
    reader.fault('config', `is ${length} characters of JSON`, { allowed: `at most ${maxConfigLength}` });
  return { timeoutMs, retries, maxConcurrency, values };
}

function parseDeployment(reader: Reader, value: JsonValue | undefined): DeploymentSection {
  if (value === undefined || value === null) return {};
  const fields = reader.fields(value, 'deployment', ['enclave', 'mode', 'image', 'resources']);
  if (!fields) return {};
  const enclave =
    fields.enclave === undefined
      ? undefined
      : reader.text(fields.enclave, 'deployment.enclave', { allowed: enclaveNameRule });
  if (enclave !== undefined && !isEnclaveName(enclave)) {
    reader.fault('deployment.enclave', 'is no name for an enclave', { found: enclave, allowed: enclaveNameRule });
  }
  const modeText =
    fields.mode === undefined ? undefined : reader.text(fields.mode, 'deployment.mode', { max: 32, allowed: modeRule });
  const mode = modeText === undefined ? undefined : parseMode(modeText);
  if (modeText !== undefined && mode === undefined)
    reader.fault('deployment.mode', 'is no mode', { found: modeText, allowed: modeRule });
  const image = fields.image === undefined ? undefined : parseImage(reader, fields.image, 'deployment.image');
  const resources = parseResources(reader, fields.resources, 'deployment.resources');
  return {
    ...(enclave === undefined ? {} : { enclave }),
    ...(mode === undefined ? {} : { mode }),
    ...(image === undefined ? {} : { image }),
    ...(resources === undefined ? {} : { resources }),
  };
}
