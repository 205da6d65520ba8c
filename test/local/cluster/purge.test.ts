import { expect, test } from 'vitest';
import { cgroupMounts } from '../../../local/cluster/cgroups.ts';
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

test('a control group is made in hierarchies of the kernel only, not in other folders beside them', () => {
  const mounts = `tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
cgroup /mnt/elsewhere cgroup rw 0 0
`;
  expect(cgroupMounts(mounts)).toEqual(['/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified']);
  expect(cgroupMounts('cgroup2 /sys/fs/cgroup cgroup2 rw 0 0')).toEqual(['/sys/fs/cgroup']);
});
