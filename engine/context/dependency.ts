import type { JsonObject, JsonValue } from '../../constructs/model/json.ts';
import type { Dependency, Workflow } from '../../constructs/workflow/workflow.ts';
import type { DependencyHandle } from '../api.ts';
import { authHeader } from './authorize.ts';
import { boundFetch } from './bound-fetch.ts';
import type { Secrets } from './secrets.ts';

export interface DependencyScope {
  readonly workflow: Workflow;
  readonly secrets: Secrets;
  /** Of the attempt that asks. */
  readonly signal: AbortSignal;
  /** Sent with each request of the handle's fetch: the trace context. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly fetch: typeof globalThis.fetch;
}

/**
 * What `ctx.dependency(name)` answers: a dependency of the contract or a sidecar.
 * @throws Error where neither has that name, or a secret is missing
 */
export function dependencyHandle(name: string, scope: DependencyScope): DependencyHandle {
  const { workflow } = scope;
  const { dependencies } = workflow.contract;
  const dependency = Object.hasOwn(dependencies, name) ? dependencies[name] : undefined;
  if (dependency !== undefined) return handleOf(name, dependency, scope);
  const sidecar = workflow.sidecars.find((one) => one.name === name);
  if (sidecar !== undefined) {
    return withFetch(
      { name, protocol: sidecar.protocol, host: 'localhost', port: sidecar.port, authType: 'none' },
      scope,
    );
  }
  const known = [...Object.keys(dependencies), ...workflow.sidecars.map((one) => one.name)].sort();
  throw new Error(
    `the contract has no dependency ${JSON.stringify(name)}; it has: ${known.join(', ') || 'none'}. ` +
      'Declare it in workflow.yaml under contract.dependencies',
  );
}

function handleOf(name: string, dependency: Dependency, scope: DependencyScope): DependencyHandle {
  switch (dependency.type) {
    case 'host': {
      const { protocol, host, port, auth } = dependency;
      const base = { name, protocol, host, port, authType: auth?.type ?? 'none' };
      return withFetch(auth === undefined ? base : { ...base, secret: scope.secrets.value(auth.secret) }, scope);
    }
    case 'dynamic-target': {
      const ports = dependency.ports.map(({ port }) => port);
      const protocol = (dependency.ports[0]?.protocol ?? 'TCP').toLowerCase();
      return { name, protocol, host: '', port: ports[0] ?? 0, authType: 'none', cidr: dependency.cidr, ports };
    }
    case 'exoskeleton':
      return exoskeletonHandle(name, scope.secrets.service(dependency.service), scope);
  }
}

/** The registrar issues address and credentials together: protocol, host and port are part of its secret. */
function exoskeletonHandle(name: string, issued: JsonObject, scope: DependencyScope): DependencyHandle {
  const { protocol, host, port } = issued;
  return withFetch(
    {
      name,
      protocol: typeof protocol === 'string' ? protocol : '',
      host: typeof host === 'string' ? host : '',
      port: Number(port ?? 0),
      authType: 'issued',
      secret: issued,
    },
    scope,
  );
}

function withFetch(
  handle: DependencyHandle & { readonly secret?: JsonValue },
  scope: DependencyScope,
): DependencyHandle {
  if (handle.protocol !== 'http' && handle.protocol !== 'https') return handle;
  const auth = authHeader(handle.name, handle.authType, handle.secret);
  if (auth !== undefined) scope.secrets.cover(auth[1].replace(/^(Basic|Bearer) /, ''));
  const host = handle.host.includes(':') && !handle.host.startsWith('[') ? `[${handle.host}]` : handle.host;
  return {
    ...handle,
    fetch: boundFetch({
      dependency: handle.name,
      origin: `${handle.protocol}://${host}:${handle.port}`,
      signal: scope.signal,
      headers: auth === undefined ? scope.headers : [auth, ...scope.headers],
      fetch: scope.fetch,
    }),
  };
}
