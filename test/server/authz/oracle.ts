/**
 * What model.md says under "Permissions", written down as tables. Nothing here is computed the way the evaluator does
 * it, and nothing here imports from the server.
 */

/** Right on the enclave, right on the tentacle: the rows of model.md's table. */
export const table: Readonly<Record<string, readonly [EnclaveNeed, TentacleNeed | '-']>> = {
  wf_list: ['r', '-'],
  enclave_info: ['r', '-'],
  wf_create: ['w', '-'],
  wf_diff_new: ['w', '-'],
  wf_remove_remains: ['w', '-'],
  wf_update: ['r', 'w'],
  wf_diff_secrets: ['r', 'w'],
  wf_remove: ['r', 'w'],
  wf_status: ['r', 'r'],
  wf_logs: ['r', 'r'],
  wf_pods: ['r', 'r'],
  wf_events: ['r', 'r'],
  wf_diff: ['r', 'r'],
  wf_runs: ['r', 'r'],
  permissions_get: ['r', 'r'],
  wf_run: ['r', 'x'],
  wf_restart: ['r', 'x'],
  tentacle_mode: ['r', 'owner'],
  tentacle_owner: ['owner', '-'],
  enclave_permissions: ['owner', '-'],
  enclave_sync: ['owner', '-'],
  enclave_deprovision: ['owner', '-'],
};
type EnclaveNeed = 'r' | 'w' | 'owner';
type TentacleNeed = 'r' | 'w' | 'x' | 'owner';
type Verdict = 'pass' | 'denied' | 'hidden';

export const bitsInOrder = ['---', 'r--', '-w-', '--x', 'rw-', 'r-x', '-wx', 'rwx'] as const;
export type Bits = (typeof bitsInOrder)[number];

const [P, D, H] = ['pass', 'denied', 'hidden'] as const;
// What three bits give somebody who is not the enclave's owner, in the order of `bitsInOrder`. Without r a thing is
// hidden, unless the very right that is asked for is given.
const truth: Readonly<Record<TentacleNeed, readonly Verdict[]>> = {
  //      ---  r--  -w-  --x  rw-  r-x  -wx  rwx
  r: [H, P, H, H, P, P, H, P],
  w: [H, D, P, H, P, D, P, P],
  x: [H, D, H, P, D, P, P, P],
  owner: [H, D, H, H, D, D, H, D],
};

/** What a caller is to an enclave; `above`: its owner. */
export type Role = 'above' | 'group' | 'others';
/**
 * Whose a tentacle is, seen by the caller. `enclave`: it came out of Git and belongs to whoever owns the enclave.
 * `address`: it names nobody but the address of the enclave's owner, and belongs to him where the enclave names it too.
 */
export type Ownership = 'mine' | 'theirs' | 'nobody' | 'enclave' | 'address';

/** An answer out of the tables: `allowed`, the code of a refusal, or what must seem absent. */
export type Outcome =
  | 'allowed'
  | 'permission_denied'
  | 'no_owner'
  | 'frozen'
  | 'enclave not_found'
  | 'tentacle not_found';

/** The answer out of the tables. */
export function expected(
  [enclaveNeed, tentacleNeed]: readonly [EnclaveNeed, TentacleNeed | '-'],
  role: Role,
  given: {
    enclaveBits: Bits;
    tentacleBits: Bits;
    ownership: Ownership;
    ownedEnclave: boolean;
    /** The enclave names the address of its owner. Default: it does not. */
    addressedEnclave?: boolean;
  },
): Outcome {
  if (role === 'above') return 'allowed';
  const first = truth[enclaveNeed][bitsInOrder.indexOf(given.enclaveBits)];
  if (first === 'hidden') return 'enclave not_found';
  if (first === 'denied') return 'permission_denied';
  if (tentacleNeed === '-') return 'allowed';
  if (given.ownership === 'nobody' || (given.ownership === 'enclave' && !given.ownedEnclave)) return 'no_owner';
  if (given.ownership === 'address' && !given.addressedEnclave) return 'no_owner';
  if (tentacleNeed === 'owner' && given.ownership === 'mine') return 'allowed';
  const second = truth[tentacleNeed][bitsInOrder.indexOf(given.tentacleBits)];
  if (second === 'hidden') return 'tentacle not_found';
  return second === 'denied' ? 'permission_denied' : 'allowed';
}
