import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Against the real cluster; the set-up starts it and installs the control plane once a run. */
const real = {
  globalSetup: ['test/support/cluster-setup.ts'],
  testTimeout: 240_000,
  hookTimeout: 600_000,
};

// unit: no cluster, runs everywhere. keycloak: a real issuer, no cluster. cluster: beside each other, each in namespaces of its own.
// disruptive: one after the other, because they take something away that all others need.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['**/*.{cluster,disruptive,keycloak}.test.ts', 'node_modules/**'],
          // Many start processes, a second each where nothing else runs; what hangs is told a little later.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Many wait for time or for a process of theirs; one worker less than cores, the default, leaves two cores idle.
          maxWorkers: Math.max(3, availableParallelism()),
        },
      },
      {
        test: {
          name: 'keycloak',
          include: ['test/**/*.keycloak.test.ts'],
          globalSetup: ['test/support/keycloak-setup.ts'],
          // One Keycloak for all; some stop it or rotate its keys.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 240_000,
        },
      },
      { test: { name: 'cluster', include: ['test/**/*.cluster.test.ts'], maxWorkers: 2, ...real } },
      {
        test: { name: 'disruptive', include: ['test/**/*.disruptive.test.ts'], fileParallelism: false, ...real },
      },
    ],
  },
});
