import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';

/** State LISTEN in /proc/net/tcp (include/net/tcp_states.h). */
const LISTEN = '0A';

/** Who listens on a TCP port, as `name (pid 1)`; `undefined` where nobody does. */
export async function portHolder(port: number): Promise<string | undefined> {
  for (const file of ['/proc/self/net/tcp', '/proc/self/net/tcp6']) {
    // Without IPv6 there is no tcp6.
    const text = await readFile(file, 'utf8').catch(() => '');
    const inode = listeningInode(port, text);
    if (inode !== undefined) return ownerOf(inode);
  }
  return undefined;
}

/** Inode of the socket that listens on a port, from the text of /proc/net/tcp. */
export function listeningInode(port: number, text: string): string | undefined {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(suffix) && fields[3] === LISTEN) return fields[9];
  }
  return undefined;
}

async function ownerOf(inode: string): Promise<string> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Processes end while they are looked at.
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      if (target !== `socket:[${inode}]`) continue;
      // Not /proc/PID/comm: programs rename their threads.
      const program = await readlink(`/proc/${pid}/exe`).catch(() => 'a process');
      return `${basename(program)} (pid ${pid})`;
    }
  }
  return 'a process that cannot be seen from here';
}
