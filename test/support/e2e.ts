import { inject } from 'vitest';
import type { JsonObject } from '../../constructs/model/json.ts';
import { createKube, type Kube } from './kube.ts';
import { connect, type Era, type McpConnection } from './mcp.ts';

/** What a test against the installed control plane works with; everything comes from the global set-up. */
export interface Bed {
  readonly kube: Kube;
  readonly endpoint: string;
  readonly token: string;
  connect(era?: Era): Promise<McpConnection>;
}

export function bed(): Bed {
  const endpoint = inject('endpoint');
  const token = inject('token');
  return {
    kube: createKube(inject('kubectl'), inject('kubeconfig')),
    endpoint,
    token,
    connect: (era = '2026-07-28') => connect(era, endpoint, token),
  };
}

let counter = 0;

/** A name that no other test and no other run uses: `e2e-<what>-<time><n>`. */
export function uniqueName(what: string): string {
  counter += 1;
  return `e2e-${what}-${Date.now().toString(36)}${counter}`;
}

/** Provisions an enclave of its own and returns its name and how to take it away again. */
export async function temporaryEnclave(
  mcp: McpConnection,
  what: string,
  input: JsonObject = {},
): Promise<{ enclave: string; remove: () => Promise<void> }> {
  const enclave = uniqueName(what);
  await mcp.ok('enclave_provision', {
    name: enclave,
    owner_email: 'ada@example.com',
    owner_sub: 'ada-sub',
    ...input,
  });
  return {
    enclave,
    remove: async () => {
      await mcp.ok('enclave_deprovision', { name: enclave, confirm: true });
    },
  };
}
