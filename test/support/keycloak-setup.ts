import type { TestProject } from 'vitest/node';
import { keycloakAdmin } from './keycloak/admin.ts';
import { endKeycloak, type Keycloak, startKeycloak } from './keycloak/keycloak.ts';
import { peakMemory } from './keycloak/process.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    keycloak: Keycloak;
    /** The audience as the import left it. */
    keycloakResource: string;
  }
}

/** One Keycloak for all files of the project, gone afterwards. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const startedAt = performance.now();
  const keycloak = await startKeycloak();
  const upAt = performance.now();
  provide('keycloak', keycloak);
  provide('keycloakResource', await keycloakAdmin(keycloak).resource());
  return async () => {
    const seconds = (from: number, to: number) => ((to - from) / 1000).toFixed(1);
    const peak = Math.round((await peakMemory(keycloak.home)) / 2 ** 20);
    const endedAt = performance.now();
    await endKeycloak(keycloak.home);
    process.stdout.write(
      `Keycloak: up in ${seconds(startedAt, upAt)} s, used for ${seconds(upAt, endedAt)} s, ${peak} MiB at most\n`,
    );
  };
}
