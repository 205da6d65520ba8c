import { describe, expect, it } from 'vitest';
import { parseLdd } from '../../../local/images/shared-libraries.ts';

describe('what ldd prints', () => {
  it('gives every library and the loader once, sorted, without the vdso of the kernel', () => {
    const output = [
      '\tlinux-vdso.so.1 (0x00007f3336ebd000)',
      '\tlibstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f3336c00000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f333693e000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f333693e000)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f3336ebf000)',
    ].join('\n');
    expect(parseLdd(output, 'x')).toEqual([
      '/lib/x86_64-linux-gnu/libc.so.6',
      '/lib/x86_64-linux-gnu/libstdc++.so.6',
      '/lib64/ld-linux-x86-64.so.2',
    ]);
  });

  it('names every library that is missing, instead of an image that does not start', () => {
    const output = '\tlibfoo.so.1 => not found\n\tlibbar.so.2 => not found\n';
    expect(() => parseLdd(output, '/bin/x')).toThrow('/bin/x needs libfoo.so.1, libbar.so.2');
  });
});
