import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectRoot } from './support/source-files.ts';

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

// Harm prevented: a registry that lacks the packages of other platforms lets `npm install` write a lock without them,
// and then `npm ci` refuses it everywhere.
it('package-lock.json has an entry for every optional dependency, also those of other platforms', () => {
  const lock = JSON.parse(readFileSync(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter((name) => !ancestors(path).some((folder) => `${folder}node_modules/${name}` in lock.packages))
      .map((name) => `${path || '(root)'} wants ${name}`),
  );
  expect(missing).toEqual([]);
});

/** `a/node_modules/b` -> `a/node_modules/b/`, `a/`, ``: where Node looks for what that package imports. */
function ancestors(path: string): string[] {
  const found = [path === '' ? '' : `${path}/`];
  let rest = path;
  while (rest !== '') {
    rest = rest.slice(0, Math.max(0, rest.lastIndexOf('node_modules/')));
    found.push(rest);
    rest = rest.replace(/\/$/, '');
  }
  return found;
}
