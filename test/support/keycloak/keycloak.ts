import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from '../../../local/run-command.ts';
import { projectRoot } from '../source-files.ts';
import { keycloakCache, warmKeycloak } from './distribution.ts';
import { launch, stop } from './process.ts';

/** A running Keycloak with the realm that the platform chart ships. Plain data, so that it reaches the test workers. */
export interface Keycloak {
  /** Folder of this one; `launch` and `stop` of process.ts take it. */
  readonly home: string;
  readonly url: string;
  readonly adminPassword: string;
}

const realmFile = join(projectRoot, 'charts/tentacular-platform/files/realm.json');

/** The resource that the realm file is imported with. */
export const importedResource = 'https://mcp.example.com/mcp';

/** Starts one of its own for this test run. */
export async function startKeycloak(): Promise<Keycloak> {
  const warm = await warmKeycloak();
  await sweep();
  const home = await mkdtemp(join(keycloakCache, 'run-'));
  await writeFile(join(home, 'owner'), String(process.pid));
  // Programs are shared by hard links; what Keycloak writes is copied.
  await runCommand('cp', ['--archive', '--link', `${warm.home}/.`, home]);
  for (const written of ['lib/quarkus', 'data']) {
    await rm(join(home, written), { recursive: true, force: true });
    await runCommand('cp', ['--archive', join(warm.home, written), join(home, written)]);
  }
  await Promise.all(
    ['running.json', 'keycloak.log', 'peak-memory'].map((name) => rm(join(home, name), { force: true })),
  );
  await mkdir(join(home, 'data/import'), { recursive: true });
  await copyFile(realmFile, join(home, 'data/import/tentacular.json'));
  const url = await launch(home, { TENTACULAR_MCP_RESOURCE: importedResource });
  return { home, url, adminPassword: warm.adminPassword };
}

export async function endKeycloak(home: string): Promise<void> {
  await stop(home);
  await rm(home, { recursive: true, force: true });
}

/** Ends what runs left behind whose process is gone. */
async function sweep(): Promise<void> {
  for (const name of await readdir(keycloakCache)) {
    if (!name.startsWith('run-')) continue;
    const home = join(keycloakCache, name);
    const owner = await readFile(join(home, 'owner'), 'utf8').catch(() => undefined);
    // Without an owner it is just being made, by somebody else.
    if (owner !== undefined && !isAlive(Number(owner))) await endKeycloak(home);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
