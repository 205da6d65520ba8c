import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { requirements } from './requirements.ts';
import { projectRoot } from './support/source-files.ts';

it.each(Object.entries(requirements))('%s is proven by the tests that it names', (_id, { rule, proofs }) => {
  expect(rule).toMatch(/\.$/);
  expect(proofs.length).toBeGreaterThan(0);
  for (const [file, title] of proofs) {
    const path = join(projectRoot, file);
    expect([file, existsSync(path)]).toEqual([file, true]);
    expect([title, readFileSync(path, 'utf8').includes(title)]).toEqual([title, true]);
  }
});
