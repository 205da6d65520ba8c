import { baseOptions, enclaveCase, type GoldenCase } from './case.ts';

export const enclaveCases: readonly GoldenCase[] = [
  enclaveCase('enclave-defaults', 'an enclave of which only the name is known', {}),
  enclaveCase('enclave-full', 'owner, members (sorted, e-mail in lower case), modes, channel', {
    ownerSub: '0f8c1b7e-3d2a-4f6b-9c1d-7e5a2b3c4d5e',
    ownerEmail: 'Ada@Example.com',
    ownerName: 'Ada Lovelace',
    members: ['zoe@example.com', 'Bob@Example.com', 'client:nightly-CI', 'bob@example.com'],
    mode: 'rwxr-x---',
    defaultMode: 'member-edit',
    platform: 'slack',
    channelId: 'C0123456',
    channelName: '#team',
  }),
  enclaveCase('enclave-frozen', 'a frozen enclave keeps its objects', { status: 'frozen' }),
  enclaveCase('enclave-quota-small', 'preset small', { quotaPreset: 'small' }),
  enclaveCase('enclave-quota-large', 'preset large', { quotaPreset: 'large' }),
  enclaveCase(
    'enclave-options',
    'another control plane, DNS by address, a later version of the Pod Security Standards',
    {},
    {
      controlPlane: {
        ...baseOptions.controlPlane,
        namespace: 'platform',
        serviceAccount: 'mcp',
        enclaveClusterRole: 'platform-enclave',
      },
      dns: { cidrs: ['169.254.20.10/32'], port: 5353 },
      podSecurityVersion: 'v1.34',
    },
  ),
];
