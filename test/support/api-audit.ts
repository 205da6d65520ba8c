import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One request as the API server's own audit log has it (audit.k8s.io/v1, level Metadata): what the tests look at. */
export interface ApiAuditEvent {
  readonly auditID: string;
  readonly verb: string;
  readonly user: { readonly username: string };
  readonly impersonatedUser?: unknown;
  readonly userAgent: string;
  readonly objectRef?: { readonly resource: string; readonly namespace?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
}

/** All that one user wrote, as far as the log and the one before it reach back. */
export async function readApiAudit(log: string, username: string): Promise<ApiAuditEvent[]> {
  const folder = dirname(log);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.log'));
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return (
    texts
      // What follows the last line break is a line that is being written.
      .flatMap((text) => text.split('\n').slice(0, -1))
      .filter((line) => line.includes(username))
      .map((line) => JSON.parse(line) as ApiAuditEvent)
      .filter(({ user }) => user.username === username)
  );
}
