import { describe, expect, it } from 'vitest';
import type { OidcPrincipal } from '../../../constructs/model/principal.ts';
import { decide } from '../../../server/authz/decide.ts';
import type { OperationName } from '../../../server/authz/operations.ts';

/**
 * What model.md says under "Permissions", written down as tables and compared with the evaluator over every
 * operation, caller, ownership and combination of bits. Nothing here is computed the way the evaluator does it.
 */

/** Right on the enclave, right on the tentacle: the rows of model.md's table. */
const table: Readonly<Record<string, readonly [EnclaveNeed, TentacleNeed | '-']>> = {
  wf_list: ['r', '-'],
  enclave_info: ['r', '-'],
  wf_create: ['w', '-'],
  wf_diff_new: ['w', '-'],
  wf_remove_remains: ['w', '-'],
  wf_update: ['r', 'w'],
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

const bitsInOrder = ['---', 'r--', '-w-', '--x', 'rw-', 'r-x', '-wx', 'rwx'] as const;
type Bits = (typeof bitsInOrder)[number];

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

const person = (sub: string, more: Partial<OidcPrincipal> = {}): OidcPrincipal => ({
  kind: 'oidc',
  name: more.email ?? sub,
  sub,
  emailUnverified: false,
  client: 'tentacular-mcp',
  service: false,
  provider: 'keycloak',
  ...more,
});

const enclaves = {
  pinned: { 'tentacular.io/owner-sub': 'olga', 'tentacular.io/owner-email': 'olga@example.com' },
  unclaimed: { 'tentacular.io/owner-email': 'olga@example.com' },
  ownerless: {},
} as const;
const members = { 'tentacular.io/enclave-members': 'client:ci,mia@example.com' };

/** Each caller, and what he is to each of the enclaves above. */
const callers: readonly (readonly [string, OidcPrincipal, Record<keyof typeof enclaves, Role>])[] = [
  [
    'the owner',
    person('olga', { email: 'olga@example.com' }),
    { pinned: 'above', unclaimed: 'above', ownerless: 'others' },
  ],
  ['the owner without e-mail', person('olga'), { pinned: 'above', unclaimed: 'others', ownerless: 'others' }],
  [
    'somebody who got the address of the owner later',
    person('new', { email: 'olga@example.com' }),
    { pinned: 'others', unclaimed: 'above', ownerless: 'others' },
  ],
  [
    'somebody whose subject is the address of the owner',
    person('olga@example.com'),
    { pinned: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a member',
    person('mia', { email: 'mia@example.com' }),
    { pinned: 'group', unclaimed: 'group', ownerless: 'group' },
  ],
  [
    'a member whose address is not verified',
    person('mia', { emailUnverified: true, name: 'mia@example.com' }),
    { pinned: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a service account that is a member',
    person('service-1', { client: 'ci', service: true }),
    { pinned: 'group', unclaimed: 'group', ownerless: 'group' },
  ],
  [
    'a person who came through the client of that service account',
    person('paul', { client: 'ci', email: 'paul@example.com' }),
    { pinned: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a service account with the address of a member',
    person('service-2', { client: 'other', service: true, email: 'mia@example.com' }),
    { pinned: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a stranger',
    person('eve', { email: 'eve@example.com' }),
    { pinned: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
];
type Role = 'above' | 'group' | 'others';

/** Each way to own a tentacle: its annotations, and whose it is. */
const ownerships: readonly (readonly [string, (me: OidcPrincipal) => Record<string, string>, Ownership])[] = [
  ['own', (me) => ({ 'tentacular.io/owner-sub': me.sub }), 'mine'],
  ["somebody else's", () => ({ 'tentacular.io/owner-sub': 'somebody' }), 'theirs'],
  ['own, out of Git', (me) => ({ 'tentacular.io/owner-sub': me.sub, 'tentacular.io/managed-by-git': 'true' }), 'mine'],
  [
    "somebody else's, out of Git",
    () => ({ 'tentacular.io/owner-sub': 'somebody', 'tentacular.io/managed-by-git': 'true' }),
    'theirs',
  ],
  ['nobody', () => ({}), 'nobody'],
  ['an address only', (me) => ({ 'tentacular.io/owner-email': me.email ?? me.sub }), 'nobody'],
  ['an empty subject', () => ({ 'tentacular.io/owner-sub': '' }), 'nobody'],
  [
    'the retired prefix',
    (me) => ({ 'tentacular.dev/owner-sub': me.sub, 'tentacular.dev/mode': 'rwxrwxrwx' }),
    'nobody',
  ],
  ['Git', () => ({ 'tentacular.io/managed-by-git': 'true' }), 'enclave'],
  ['Git, so it says', () => ({ 'tentacular.io/managed-by-git': 'yes' }), 'nobody'],
];
type Ownership = 'mine' | 'theirs' | 'nobody' | 'enclave';

/** A mode with these bits for one class, and the opposite for the two others: only the right class may count. */
function modeWith(bits: Bits, where: 'owner' | 'group' | 'others'): string {
  const opposite = Array.from('rwx', (right) => (bits.includes(right) ? '-' : right)).join('');
  return (['owner', 'group', 'others'] as const).map((one) => (one === where ? bits : opposite)).join('');
}

interface Expected {
  readonly outcome:
    | 'allowed'
    | 'permission_denied'
    | 'no_owner'
    | 'frozen'
    | 'enclave not_found'
    | 'tentacle not_found';
}

/** The answer out of the tables. */
function expected(
  [enclaveNeed, tentacleNeed]: readonly [EnclaveNeed, TentacleNeed | '-'],
  role: Role,
  given: { enclaveBits: Bits; tentacleBits: Bits; ownership: Ownership; ownedEnclave: boolean },
): Expected['outcome'] {
  if (role === 'above') return 'allowed';
  const first = truth[enclaveNeed][bitsInOrder.indexOf(given.enclaveBits)];
  if (first === 'hidden') return 'enclave not_found';
  if (first === 'denied') return 'permission_denied';
  if (tentacleNeed === '-') return 'allowed';
  if (given.ownership === 'nobody' || (given.ownership === 'enclave' && !given.ownedEnclave)) return 'no_owner';
  if (tentacleNeed === 'owner' && given.ownership === 'mine') return 'allowed';
  const second = truth[tentacleNeed][bitsInOrder.indexOf(given.tentacleBits)];
  if (second === 'hidden') return 'tentacle not_found';
  return second === 'denied' ? 'permission_denied' : 'allowed';
}

const policy = { enabled: true, provisioners: 'everyone' } as const;

describe.each(Object.entries(table))('the truth table of %s', (operation, needs) => {
  it.each(callers)('holds for %s, whatever the bits, the owner and the state of the enclave', (_who, me, roles) => {
    const wrong: object[] = [];
    let cases = 0;
    for (const [kind, role] of Object.entries(roles) as [keyof typeof enclaves, Role][]) {
      for (const [owned, annotationsFor, ownership] of ownerships) {
        const enclaveClass = role === 'above' ? 'owner' : role;
        const tentacleClass = ownership === 'mine' ? 'owner' : enclaveClass;
        for (const enclaveBits of bitsInOrder) {
          for (const tentacleBits of bitsInOrder) {
            const frozen = cases++ % 2 === 1;
            const enclave = {
              ...enclaves[kind],
              ...members,
              'tentacular.io/mode': modeWith(enclaveBits, enclaveClass),
              ...(frozen ? { 'tentacular.io/enclave-status': 'frozen' } : {}),
            };
            const tentacle = { 'tentacular.io/mode': modeWith(tentacleBits, tentacleClass), ...annotationsFor(me) };
            const decision = decide({
              principal: me,
              policy,
              operation: operation as OperationName,
              enclave,
              ...(needs[1] === '-' ? {} : { tentacle }),
            });
            const told = decision.allowed ? 'allowed' : `${decision.hides ?? ''} ${decision.code}`.trim();
            const ownedEnclave = kind !== 'ownerless';
            const table = expected(needs, role, { enclaveBits, tentacleBits, ownership, ownedEnclave });
            const isApply = operation === 'wf_create' || operation === 'wf_update';
            const wanted = table === 'allowed' && frozen && isApply ? 'frozen' : table;
            if (told !== wanted || decision.reason === '') wrong.push({ kind, owned, enclave, tentacle, told, wanted });
          }
        }
      }
    }
    expect(cases).toBe(3 * 10 * 64);
    expect(wrong).toEqual([]);
  });
});
