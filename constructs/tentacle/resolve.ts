import { parseCron } from '../model/cron.ts';
import { type Fault, invalidInput } from '../model/errors.ts';
import { parseCidr } from '../model/ip.ts';
import { enclaveNameRule, isEnclaveName, isTentacleName, tentacleNameRule } from '../model/names.ts';
import type { RendererOptions } from '../model/options.ts';
import type { TentacleSource } from '../source.ts';
import { type EgressRule, egressRules } from '../workflow/egress.ts';
import { isExpressible } from '../workflow/engine-flags.ts';
import { parseHost } from '../workflow/host.ts';
import { checkWorkflow } from '../workflow/parse.ts';
import { imageRule, isImage } from '../workflow/rules.ts';
import type { Workflow } from '../workflow/workflow.ts';
import { childPath, type Position, shorten } from '../workflow/yaml-source.ts';
import { buildCode, type Code, workflowText } from './code.ts';

/** A source after every check: all that the objects of a tentacle are made from. */
export interface ResolvedTentacle {
  readonly enclave: string;
  readonly name: string;
  readonly workflow: Workflow;
  readonly code: Code;
  readonly egress: readonly EgressRule[];
  readonly image: string;
  readonly gitSha?: string;
  readonly gitUrl?: string;
  readonly managedByGit: boolean;
  readonly options: RendererOptions;
  readonly warnings: readonly string[];
}

/**
 * Checks a source against itself and the renderer options.
 * @throws TentacularError `invalid_input` with the faults of workflow.yaml, files and options together.
 */
export function resolveTentacle(source: TentacleSource, options: RendererOptions): ResolvedTentacle {
  const { workflow, draft, faults: workflowFaults, locate } = checkWorkflow(source.workflow);
  const faults: Fault[] = [...workflowFaults];
  const at = (path: string): Partial<Position> => locate(path) ?? {};
  const readable = workflow ?? draft;
  const name = source.name ?? readable?.name ?? '';
  if (!isEnclaveName(source.enclave)) {
    faults.push({
      path: 'enclave',
      message: 'is no name for an enclave',
      found: shorten(source.enclave),
      allowed: enclaveNameRule,
    });
  }
  if (source.name !== undefined && !isTentacleName(source.name)) {
    faults.push({
      path: 'name',
      message: 'is no name for a tentacle',
      found: shorten(source.name),
      allowed: tentacleNameRule,
    });
  }
  faults.push(...gitFaults(source));
  const { moduleProxy } = options;
  const code = buildCode({
    // An object that could not be read may be too deep to be written as well; its faults are known.
    workflow: readable ? workflowText(source.workflow) : '',
    files: source.files,
    ...(moduleProxy ? { moduleProxy } : {}),
  });
  faults.push(...code.faults);
  if (!readable) throw invalidInput('workflow.yaml', faults);

  const present = Object.keys(source.files);
  for (const [node, { path }] of Object.entries(readable.nodes)) {
    if (path === '' || present.includes(path)) continue;
    const where = `${childPath('nodes', node)}.path`;
    if (faults.some((fault) => fault.path === where)) continue;
    const allowed =
      present.length === 0 ? 'a file that comes along; none did' : shorten(present.sort().join(', '), 300);
    faults.push({ path: where, message: 'is none of the files', found: path, allowed, ...at(where) });
  }
  const { rules, faults: egressFaults } = egressRules({
    workflow: readable,
    options,
    modules: code.imports.kind !== 'none',
  });
  faults.push(...egressFaults.map((fault) => ({ ...fault, ...at(fault.path) })));
  const image = source.image ?? readable.deployment.image ?? options.engineImage;
  if (workflow) {
    faults.push(...imageFaults({ source, workflow, image, options }).map((fault) => ({ ...fault, ...at(fault.path) })));
  }
  if (!workflow || faults.length > 0)
    throw invalidInput(isTentacleName(name) ? `tentacle ${name}` : 'workflow.yaml', faults);
  return {
    enclave: source.enclave,
    name,
    workflow,
    code,
    egress: rules,
    image,
    ...(source.gitSha === undefined ? {} : { gitSha: source.gitSha }),
    ...(source.gitUrl === undefined ? {} : { gitUrl: source.gitUrl }),
    managedByGit: source.managedByGit ?? false,
    options,
    warnings: warningsOf(workflow, code, source),
  };
}

function gitFaults({ gitSha, gitUrl }: TentacleSource): Fault[] {
  const faults: Fault[] = [];
  if (gitSha !== undefined && !/^[0-9a-f]{7,64}$/.test(gitSha)) {
    faults.push({
      path: 'git_sha',
      message: 'is no commit',
      found: shorten(gitSha),
      allowed: '7 to 64 hexadecimal digits',
    });
  }
  if (gitUrl === undefined) return faults;
  const allowed = 'the address of a repository without credentials, at most 500 characters';
  if (gitUrl.length <= 500 && /^[a-z+]+:\/\/[^/@]*:[^/@]*@/i.test(gitUrl))
    faults.push({ path: 'git_url', message: 'holds credentials', allowed });
  else if (gitUrl.length > 500 || !/^[\x21-\x7e]+$/.test(gitUrl)) {
    faults.push({ path: 'git_url', message: 'is no address of a repository', found: shorten(gitUrl), allowed });
  }
  return faults;
}

interface ImageCheck {
  readonly source: TentacleSource;
  readonly workflow: Workflow;
  readonly image: string;
  readonly options: RendererOptions;
}

function imageFaults({ source, workflow, image, options }: ImageCheck): Fault[] {
  const faults: Fault[] = [];
  const path = source.image === undefined ? 'deployment.image' : 'image';
  const allowedEngines = options.allowedEngineImages ?? [options.engineImage];
  if (!isImage(image))
    faults.push({ path, message: 'is no image reference', found: shorten(image), allowed: imageRule });
  else if (image !== options.engineImage && !isAllowed(image, allowedEngines)) {
    faults.push({
      path,
      message: 'is an engine image that is not allowed here',
      found: image,
      allowed: allowedEngines.join(', '),
    });
  }
  const { allowedSidecarImages } = options;
  for (const [index, sidecar] of workflow.sidecars.entries()) {
    if (!allowedSidecarImages || isAllowed(sidecar.image, allowedSidecarImages)) continue;
    const allowed = allowedSidecarImages.join(', ') || 'no sidecar at all';
    faults.push({
      path: `sidecars[${index}].image`,
      message: 'is an image that is not allowed here',
      found: sidecar.image,
      allowed,
    });
  }
  return faults;
}

/** Exact, or a prefix ending in `*`. */
function isAllowed(image: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? image.startsWith(pattern.slice(0, -1)) : image === pattern,
  );
}

function warningsOf(workflow: Workflow, code: Code, { enclave }: TentacleSource): string[] {
  const warnings: string[] = [];
  for (const [node, { path }] of Object.entries(workflow.nodes)) {
    if (code.withoutDefaultExport.has(path))
      warnings.push(`Node ${node}: ${path} has no default export, so the engine will not start.`);
  }
  for (const [name, dependency] of Object.entries(workflow.contract.dependencies)) {
    if (dependency.type === 'dynamic-target') {
      warnings.push(`Dependency ${name} opens ${dependency.cidr}, whichever host answers there: ${dependency.reason}`);
      const range = parseCidr(dependency.cidr);
      if (range && !isExpressible(range)) {
        warnings.push(
          `Dependency ${name}: Deno knows no ranges of IPv6, so only sidecars reach ${dependency.cidr}; nodes need single addresses (/128).`,
        );
      }
    }
    if (dependency.type !== 'host') continue;
    const parsed = parseHost(dependency.host);
    if (parsed.fault || parsed.target.kind !== 'cluster') continue;
    // A policy sees the pod's port. Pods that run as non-root seldom listen below 1024, Services often do.
    if (dependency.targetPort === undefined && dependency.port < 1024) {
      warnings.push(
        `Dependency ${name}: the network policy opens port ${dependency.port} of the pods; where the Service sends it to another one, write that as targetPort.`,
      );
    }
    if (dependency.host.split('.').length === 2) {
      const reading = `Service ${parsed.target.service} in namespace ${parsed.target.namespace}`;
      warnings.push(
        `Dependency ${name}: ${dependency.host} is read as ${reading}; write ${dependency.host}.svc to leave no doubt.`,
      );
    }
  }
  for (const trigger of workflow.triggers) {
    if (trigger.type === 'cron' && parseCron(trigger.schedule, trigger.timezone).cron?.neverFires) {
      warnings.push(`The schedule ${trigger.schedule} is valid and never due.`);
    }
  }
  if (code.imports.kind === 'registry' && !code.imports.lock) {
    warnings.push('Third-party imports without a deno.lock: the bytes that run are not pinned.');
  }
  const meant = workflow.deployment.enclave;
  if (meant !== undefined && meant !== enclave)
    warnings.push(`deployment.enclave says ${meant}; this is rendered for ${enclave}.`);
  return warnings;
}
