import { describe, expect, it } from 'vitest';
import { createOnlyAnnotations } from '../../../constructs/model/annotations.ts';
import type { Manifest } from '../../../constructs/model/manifest.ts';
import { stampDeployment } from '../../../server/cluster/stamps.ts';

const deployment = (annotations: Record<string, string>): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'hello', namespace: 'team', annotations },
});
const stamps = {
  owner: { sub: 'eve', email: 'eve@example.com', name: 'Eve' },
  authProvider: 'oidc',
  mode: 'rwxrwxrwx',
  deployedBy: 'eve@example.com',
};
const at = '2026-07-28T12:00:00Z';
const forged = Object.fromEntries(createOnlyAnnotations.map((key) => [key, 'forged']));

describe('stamps of a Deployment', () => {
  it('at creation the caller owns it, whatever the set says', () => {
    const { metadata } = stampDeployment(deployment(forged), undefined, { stamps, at, revision: 1 });
    expect(Object.values(metadata.annotations ?? {})).not.toContain('forged');
    expect(metadata.annotations).toMatchObject({ 'tentacular.io/owner-sub': 'eve', 'tentacular.io/created-at': at });
  });

  it('an update carries over what creation set, whoever sends it', () => {
    const live = Object.fromEntries(createOnlyAnnotations.map((key) => [key, `live ${key}`]));
    const { metadata } = stampDeployment(deployment(forged), deployment(live), { stamps, at, revision: 2 });
    expect(metadata.annotations).toMatchObject({ ...live, 'tentacular.io/deployed-by': 'eve@example.com' });
  });

  // A tentacle out of Git without a mode has that of its enclave: whoever may write it could otherwise open it.
  it.each(createOnlyAnnotations)('an update does not set %s where the live object has none', (key) => {
    const { metadata } = stampDeployment(deployment(forged), deployment({}), { stamps, at, revision: 2 });
    expect(metadata.annotations).not.toHaveProperty([key]);
  });
});
