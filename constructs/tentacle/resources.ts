import { Quantity, type ResourceRequirements } from '../k8s/l1.ts';
import { parseCpu, parseMemory } from '../model/quantity.ts';
import type { Resources } from '../workflow/workflow.ts';

/** What a container gets unless the workflow says otherwise. */
export const defaultResources = {
  requests: { cpu: '50m', memory: '96Mi' },
  limits: { cpu: '500m', memory: '256Mi' },
} as const satisfies Resources;

type Unit = 'cpu' | 'memory';
const parsers = { cpu: parseCpu, memory: parseMemory } as const;

/** Requests and limits of a container. A default gives way to what is written: it never contradicts it. */
export function resourcesOf(resources: Resources | undefined): ResourceRequirements {
  const cpu = pair('cpu', resources);
  const memory = pair('memory', resources);
  return {
    requests: { cpu: Quantity.fromString(cpu.request), memory: Quantity.fromString(memory.request) },
    limits: { cpu: Quantity.fromString(cpu.limit), memory: Quantity.fromString(memory.limit) },
  };
}

function pair(unit: Unit, resources: Resources | undefined): { request: string; limit: string } {
  const request = resources?.requests?.[unit];
  const limit = resources?.limits?.[unit];
  const amount = (text: string): number => parsers[unit](text) ?? 0;
  const larger = (a: string, b: string): string => (amount(a) >= amount(b) ? a : b);
  const smaller = (a: string, b: string): string => (amount(a) <= amount(b) ? a : b);
  return {
    request: request ?? smaller(defaultResources.requests[unit], limit ?? defaultResources.limits[unit]),
    limit: limit ?? larger(defaultResources.limits[unit], request ?? defaultResources.requests[unit]),
  };
}
