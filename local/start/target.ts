import { TentacularError } from '../../constructs/model/errors.ts';
import type { ImageName } from '../images/definitions.ts';
import type { BuiltImages } from '../images/ensure.ts';
import type { InstallTarget } from './control-plane.ts';

/** A cluster to start in: the embedded one, or the one that `TENTACULAR_CONTEXT` names. */
export interface StartTarget extends InstallTarget {
  /** For people: `the embedded cluster`, `context kind-dev`. */
  readonly description: string;
  /** How to end what was started, as a command. */
  readonly stopCommand: string;
  /** Full names of images that the cluster pulls by itself; absent: they are made here and brought in. */
  readonly givenImages?: Readonly<Record<ImageName, string>>;
  /** Brings archives into the cluster; those that are there already cost nothing. */
  bringIn(images: BuiltImages): Promise<void>;
  /** The server's address from here, for as long as this process lives. */
  reach(namespace: string): Promise<Reached>;
}

export interface Reached {
  /** URL with /mcp. */
  readonly endpoint: string;
  /** Command that keeps it reachable, where it is not by itself. */
  readonly keepOpen?: string;
  close(): Promise<void>;
}

const readyTimeoutMs = 60_000;
const pollMs = 100;

/**
 * Waits until the server answers `GET /readyz` with 200.
 * @param endpoint URL with /mcp
 * @param options.timeoutMs Default 60 000.
 * @throws TentacularError `timeout` with what was seen last.
 */
export async function waitForServer(endpoint: string, options: { readonly timeoutMs?: number } = {}): Promise<void> {
  const timeoutMs = options.timeoutMs ?? readyTimeoutMs;
  const url = new URL('/readyz', endpoint);
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let last: string;
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (response.ok) return;
      last = `status ${response.status}: ${(await response.text()).slice(0, 500)}`;
    } catch (error) {
      last = error instanceof Error ? String(error.cause ?? error.message) : String(error);
    }
    if (Date.now() > deadline) {
      throw new TentacularError('timeout', `${url} is not ready after ${timeoutMs / 1000} s; last seen: ${last}`, {
        hint: 'Another program may hold that port, or the pods are not ready: kubectl get pods -n tentacular-system.',
      });
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
