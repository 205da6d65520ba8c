import { expect, test } from 'vitest';
import { calicoRights, corefile } from '../../../local/cluster/addons.ts';

test('behind the guard a name from outside does not exist; outside it is forwarded', () => {
  expect(corefile([])).toContain('rcode NXDOMAIN');
  expect(corefile([])).not.toContain('forward');
  expect(corefile(['192.0.2.53', '192.0.2.54'])).toContain('forward . 192.0.2.53 192.0.2.54');
  expect(corefile(['192.0.2.53'])).not.toContain('NXDOMAIN');
});

test('names of the cluster are answered in a block of their own: template would answer before kubernetes', () => {
  const blocks = corefile([]).split(/^}$/m);
  expect(blocks[0]).toMatch(/^cluster\.local:53 in-addr\.arpa:53 \{/);
  expect(blocks[0]).not.toContain('template');
});

test('of a manifest with everything only the two roles are taken, each bound to the one user', () => {
  const canal = `kind: ClusterRole
metadata: {name: calico-node}
rules: []
---
kind: DaemonSet
metadata: {name: canal}
---
kind: ClusterRole
metadata: {name: calico-cni-plugin}
---
kind: ClusterRole
metadata: {name: calico-kube-controllers}
`;
  const rights = calicoRights(canal);
  expect(rights.map((object) => object.kind)).toEqual([
    'ClusterRole',
    'ClusterRole',
    'ClusterRoleBinding',
    'ClusterRoleBinding',
  ]);
  expect(rights.slice(2)).toMatchObject(
    ['calico-node', 'calico-cni-plugin'].map((name) => ({
      roleRef: { kind: 'ClusterRole', name },
      subjects: [{ kind: 'User', name: 'tentacular-calico' }],
    })),
  );
});
