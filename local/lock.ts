import { createHash } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import { TentacularError } from '../constructs/model/errors.ts';
import { type Progress, silentProgress } from './progress.ts';

const POLL_MS = 100;

export interface LockOptions {
  /** How long to wait for the one who has it. */
  readonly timeoutMs: number;
  readonly progress?: Progress;
}

/**
 * Runs `work` while no other process of this machine runs under the same name.
 * The lock is an abstract Unix socket: the kernel frees it the moment its holder dies, however it dies, so there is no
 * stale lock and nothing to clean up, and it holds even where the folder that it guards has been deleted.
 * @throws TentacularError `timeout` that names the holder.
 */
export async function withLock<T>(name: string, options: LockOptions, work: () => Promise<T>): Promise<T> {
  const address = `\0tentacular-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const server = (await tryListen(address)) ?? (await wait(name, address, options));
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function wait(name: string, address: string, options: LockOptions): Promise<Server> {
  const holder = await holderOf(address);
  const progress = options.progress ?? silentProgress;
  return progress.step(`waiting for process ${holder}, which works on ${name}`, async () => {
    const deadline = Date.now() + options.timeoutMs;
    while (Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      const server = await tryListen(address);
      if (server) return server;
    }
    throw new TentacularError(
      'timeout',
      `${name} is in use by process ${await holderOf(address)} for more than ${options.timeoutMs / 1000} s`,
      { hint: 'Wait for it, or look at what it does: ps -fp <that process>.' },
    );
  });
}

/** `undefined` where somebody else has it. Whoever connects is told the holder's pid. */
function tryListen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(String(process.pid));
    });
    server.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(address, () => resolve(server));
  });
}

function holderOf(address: string): Promise<string> {
  return new Promise((resolve) => {
    let pid = '';
    const socket = connect(address);
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      pid += chunk.toString('utf8');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(pid || 'unknown'));
  });
}
