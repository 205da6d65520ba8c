import { expect, test } from 'vitest';
import { catalog } from '../../../local/binaries/catalog.ts';
import { wrapperGoMod } from '../../../local/binaries/go-build.ts';

test('modules of its own repository get their published version, in requirement and replacement', () => {
  const goMod = `module k8s.io/kubernetes

go 1.24.0

require (
	github.com/google/go-cmp v0.7.0
	k8s.io/api v0.0.0
	k8s.io/mount-utils v0.0.0 // indirect
)

replace (
	k8s.io/api => ./staging/src/k8s.io/api
	k8s.io/mount-utils => ./staging/src/k8s.io/mount-utils
)
`;
  expect(wrapperGoMod(goMod, catalog.kubelet.build)).toBe(`module tentacular.local/build

go 1.24.0

require (
	github.com/google/go-cmp v0.7.0
	k8s.io/api v0.34.3
	k8s.io/mount-utils v0.34.3
)

replace (
)

require k8s.io/kubernetes v1.34.3
replace k8s.io/api => k8s.io/api v0.34.3
replace k8s.io/mount-utils => k8s.io/mount-utils v0.34.3
`);
});

test('a replacement by another published module stays, one by a folder without a version of its own goes', () => {
  const goMod = `module go.etcd.io/etcd/server/v3
require go.etcd.io/etcd/api/v3 v3.6.6
replace go.etcd.io/etcd/api/v3 => ../api
replace go.etcd.io/etcd => ./FORBIDDEN_DEPENDENCY
replace sigs.k8s.io/knftables => sigs.k8s.io/knftables v0.0.17
replace example.com/old v1.0.0 => ../old
`;
  expect(wrapperGoMod(goMod, catalog.etcd.build)).toBe(`module tentacular.local/build
require go.etcd.io/etcd/api/v3 v3.6.6
replace sigs.k8s.io/knftables => sigs.k8s.io/knftables v0.0.17

require go.etcd.io/etcd/server/v3 v3.6.6
`);
});
