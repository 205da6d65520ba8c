import type { TestProject } from 'vitest/node';
import { keycloakAdmin } from './keycloak/admin.ts';
import { endKeycloak, type Keycloak, startKeycloak } from './keycloak/keycloak.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    keycloak: Keycloak;
    /** The audience as the import left it. */
    keycloakResource: string;
  }
}

/** One Keycloak for all files of the project, gone afterwards. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const keycloak = await startKeycloak();
  provide('keycloak', keycloak);
  provide('keycloakResource', await keycloakAdmin(keycloak).resource());
  return () => endKeycloak(keycloak.home);
}
