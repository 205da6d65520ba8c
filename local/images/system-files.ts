import { rootCertificates } from 'node:tls';
import type { ImageFile } from './oci.ts';

/**
 * What a program expects of a Linux system beside its libraries: who `nobody` is, how names are resolved, which
 * certificate authorities are trusted (Mozilla's, as this Node carries them), a place for temporary files.
 */
export function systemFiles(): ImageFile[] {
  return [
    {
      path: '/etc/passwd',
      content: 'root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/tmp:/sbin/nologin\n',
    },
    { path: '/etc/group', content: 'root:x:0:\nnobody:x:65534:\n' },
    { path: '/etc/nsswitch.conf', content: 'hosts: files dns\n' },
    { path: '/etc/ssl/certs/ca-certificates.crt', content: `${rootCertificates.join('\n')}\n` },
    { path: '/tmp', directory: true, mode: 0o1777 },
  ];
}
