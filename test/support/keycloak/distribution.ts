import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../../local/binaries/find.ts';
import { withLock } from '../../../local/lock.ts';
import { runCommand } from '../../../local/run-command.ts';
import { projectRoot } from '../source-files.ts';
import { launch, stop } from './process.ts';

const version = '26.7.3';
const mavenPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/** Everything of Keycloak that tests keep on this machine, outside the checkout. */
export const keycloakCache = join(cacheFolder(), 'keycloak');

/** What the platform chart builds Keycloak with. */
const buildOptions = join(projectRoot, 'charts/tentacular-platform/files/keycloak.conf');

/**
 * A Keycloak that was started once: its classes are prepared, its database has its tables and an administrator. Copies
 * of it start in a third of the time. Comes from Maven's registry, whose plugin checks the digest; needs mvn, unzip and
 * a Java of 17 or later.
 */
export async function warmKeycloak(): Promise<{ readonly home: string; readonly adminPassword: string }> {
  const built = createHash('sha256')
    .update(await readFile(buildOptions))
    .digest('hex');
  const home = join(keycloakCache, `warm-${version}-${built.slice(0, 12)}`);
  const passwordFile = join(home, 'admin-password');
  await withLock(home, { timeoutMs: 600_000 }, async () => {
    if (existsSync(passwordFile)) return;
    await rm(home, { recursive: true, force: true });
    await mkdir(keycloakCache, { recursive: true });
    const folder = await mkdtemp(join(keycloakCache, 'new-'));
    const artifact = `org.keycloak:keycloak-quarkus-dist:${version}:zip`;
    const hint =
      'Install maven, unzip and openjdk-17-jre-headless (Debian), and see that the Maven registry is reached.';
    const options = { timeoutMs: 600_000, hint };
    await runCommand(
      'mvn',
      ['-q', `${mavenPlugin}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`],
      options,
    );
    await runCommand('unzip', ['-q', join(folder, `keycloak-quarkus-dist-${version}.zip`), '-d', folder], options);
    const fresh = join(folder, `keycloak-${version}`);
    await copyFile(buildOptions, join(fresh, 'conf/keycloak.conf'));
    const adminPassword = randomBytes(24).toString('base64url');
    await launch(fresh, { KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: adminPassword });
    await stop(fresh);
    await writeFile(join(fresh, 'admin-password'), adminPassword, { mode: 0o600 });
    await rename(fresh, home);
    await rm(folder, { recursive: true });
  });
  return { home, adminPassword: await readFile(passwordFile, 'utf8') };
}
