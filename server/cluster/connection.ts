import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TentacularError } from '../../constructs/model/errors.ts';
import type {
  Connection,
  ContextConnection,
  DirectConnection,
  InClusterConnection,
  TlsMaterial,
} from './connection-kinds.ts';

/** A connection that has been opened: where to, and what each request needs. */
export interface Access {
  /** Origin without a path, e.g. `https://10.96.0.1:443`. */
  readonly origin: string;
  /** Prefix of every path, empty as a rule. */
  readonly basePath: string;
  /** Read again for each new TCP connection, since CAs rotate as well. */
  tls(): TlsMaterial;
  /** Value of the Authorization header for the next request. `fresh` = the last one was refused. */
  authorization(fresh: boolean): Promise<string | undefined>;
}

/** How long a token file or a credential plugin's answer is used before it is looked at again. */
const credentialAgeMs = 10_000;
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** Reads what the connection needs; rejects with `cluster_error` where that is missing. */
export async function openConnection(connection: Connection, now: () => number): Promise<Access> {
  switch (connection.kind) {
    case 'in-cluster':
      return openInCluster(connection, now);
    case 'context':
      return openContext(connection, now);
    case 'direct':
      return openDirect(connection);
  }
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

async function openInCluster(connection: InClusterConnection, now: () => number): Promise<Access> {
  const folder = connection.folder ?? serviceAccountFolder;
  let ca = '';
  let token = '';
  let readAt = Number.NEGATIVE_INFINITY;
  const read = async () => {
    [token, ca] = await Promise.all([
      readFile(join(folder, 'token'), 'utf8'),
      readFile(join(folder, 'ca.crt'), 'utf8'),
    ]);
    token = token.trim();
    readAt = now();
  };
  try {
    await read();
  } catch (cause) {
    throw new TentacularError(
      'cluster_error',
      'Cannot open the in-cluster connection: no ServiceAccount token is mounted',
      {
        hint: 'Set automountServiceAccountToken on the pod of the control plane, or connect through a kubeconfig context.',
        cause,
      },
    );
  }
  const host = connection.host.includes(':') ? `[${connection.host}]` : connection.host;
  return {
    origin: `https://${host}:${connection.port}`,
    basePath: '',
    tls: () => ({ ca }),
    authorization: async (fresh) => {
      // The kubelet replaces the file well before the old token ends: a failed read keeps the one we have.
      if (fresh || now() - readAt > credentialAgeMs) await read().catch(() => undefined);
      return bearer(token);
    },
  };
}

function openDirect(connection: DirectConnection): Access {
  const { origin, basePath } = splitServer(connection.server);
  const { ca, clientCertificate, serverName, token } = connection;
  const tls: TlsMaterial = {
    ...(ca === undefined ? {} : { ca }),
    ...(clientCertificate === undefined ? {} : clientCertificate),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
  return {
    origin,
    basePath,
    tls: () => tls,
    authorization: async () => {
      if (token === undefined) return undefined;
      return bearer(typeof token === 'string' ? token : await token());
    },
  };
}

function splitServer(server: string): { origin: string; basePath: string } {
  const url = new URL(server);
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') };
}

async function openContext(connection: ContextConnection, now: () => number): Promise<Access> {
  // Only here: the library costs half a second and some 75 MB, which the server in the cluster never pays.
  const { loadContext } = await import('./kubeconfig.ts');
  const loaded = await loadContext(connection);
  const { origin, basePath } = splitServer(loaded.server);
  let credentials = await loaded.credentials();
  let askedAt = now();
  return {
    origin,
    basePath,
    tls: () => credentials.tls,
    authorization: async (fresh) => {
      if (fresh || now() - askedAt > credentialAgeMs) {
        credentials = await loaded.credentials();
        askedAt = now();
      }
      return credentials.authorization;
    },
  };
}
