import { expect, test } from 'vitest';
import { mountPointsBelow } from '../../../local/cluster/purge.ts';

test('mounts below the state folder are found, the last mounted first, and no neighbours', () => {
  const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 254:0 /var/lib/tentacular/var/kubelet /var/lib/tentacular/var/kubelet rw shared:1 - ext4 /dev/vda rw
31 30 0:40 / /var/lib/tentacular/var/kubelet/pods/a/volumes/with\\040space rw - tmpfs tmpfs rw
32 22 0:41 / /var/lib/tentacular-other/run rw - tmpfs tmpfs rw
33 22 0:42 / /var/lib/tentacular/run/rootfs//deleted rw - overlay overlay rw
`;
  expect(mountPointsBelow('/var/lib/tentacular', mountinfo)).toEqual([
    '/var/lib/tentacular/run/rootfs',
    '/var/lib/tentacular/var/kubelet/pods/a/volumes/with space',
    '/var/lib/tentacular/var/kubelet',
  ]);
});
