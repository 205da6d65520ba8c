import type { RequestOptions } from 'node:https';
import { KubeConfig } from '@kubernetes/client-node';
import { TentacularError } from '../../constructs/model/errors.ts';
import type { ContextConnection, TlsMaterial } from './connection-kinds.ts';

export interface Credentials {
  readonly tls: TlsMaterial;
  /** Value of the Authorization header. */
  readonly authorization: string | undefined;
}

export interface LoadedContext {
  readonly server: string;
  /** Runs the credential plugin where the context has one; the library caches its answer until it expires. */
  credentials(): Promise<Credentials>;
}

function pem(value: RequestOptions['ca']): string | undefined {
  if (value === undefined || value === null) return undefined;
  return (Array.isArray(value) ? value : [value]).map((part) => part.toString()).join('\n');
}

/** Loads exactly the named context of a kubeconfig; `invalid_input` names the contexts there are. */
export async function loadContext(connection: ContextConnection): Promise<LoadedContext> {
  const config = new KubeConfig();
  try {
    if (connection.kubeconfig) config.loadFromFile(connection.kubeconfig);
    else config.loadFromDefault();
  } catch (cause) {
    throw new TentacularError('invalid_input', 'Cannot read the kubeconfig', {
      hint: 'Check that the file exists and is valid YAML.',
      cause,
    });
  }
  if (!config.getContextObject(connection.context)) {
    const names = config.getContexts().map((context) => context.name);
    throw new TentacularError(
      'invalid_input',
      `The kubeconfig has no context "${connection.context}"; it has: ${names.join(', ') || 'none'}`,
      { hint: 'Name one of these contexts.' },
    );
  }
  config.setCurrentContext(connection.context);
  const server = config.getCurrentCluster()?.server;
  if (!server) {
    throw new TentacularError('invalid_input', `The context "${connection.context}" names no cluster with a server`, {
      hint: 'Correct the kubeconfig.',
    });
  }
  return { server, credentials: () => credentialsOf(config) };
}

async function credentialsOf(config: KubeConfig): Promise<Credentials> {
  const options: RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(options);
  } catch (cause) {
    const message = `Cannot get credentials for the context "${config.getCurrentContext()}"`;
    throw new TentacularError('cluster_error', message, {
      hint: 'Check the files and the credential plugin that the kubeconfig names; try kubectl with the same context.',
      cause,
    });
  }
  const ca = pem(options.ca);
  const cert = pem(options.cert);
  const key = typeof options.key === 'string' || Buffer.isBuffer(options.key) ? options.key.toString() : undefined;
  const tls: TlsMaterial = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === undefined ? {} : { rejectUnauthorized: options.rejectUnauthorized }),
  };
  return { tls, authorization: authorizationOf(options) };
}

function authorizationOf(options: RequestOptions): string | undefined {
  if (options.auth) return `Basic ${Buffer.from(options.auth).toString('base64')}`;
  const headers = options.headers;
  if (!headers || Array.isArray(headers)) return undefined;
  const entry = Object.entries(headers).find(([name]) => name.toLowerCase() === 'authorization');
  return typeof entry?.[1] === 'string' ? entry[1] : undefined;
}
