import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { errorCodes } from '../../../constructs/model/errors.ts';
import { projectRoot } from '../../support/source-files.ts';

it('error codes are frozen: clients branch on them', () => {
  expect([...errorCodes]).toEqual([
    'invalid_input',
    'not_found',
    'permission_denied',
    'no_owner',
    'frozen',
    'conflict',
    'stale_plan',
    'quota_exceeded',
    'policy_violation',
    'unavailable',
    'timeout',
    'cluster_error',
  ]);
});

it('docs/errors.md explains each code once, and none that does not exist', () => {
  const page = readFileSync(join(projectRoot, 'docs/errors.md'), 'utf8');
  const explained = [...page.matchAll(/^\| `([a-z_]+)` \|/gm)].map((match) => match[1]);
  expect(explained).toEqual([...errorCodes]);
});
