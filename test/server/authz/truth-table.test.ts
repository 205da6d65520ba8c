import { describe, expect, it } from 'vitest';
import type { OidcPrincipal } from '../../../constructs/model/principal.ts';
import { decide } from '../../../server/authz/decide.ts';
import type { OperationName } from '../../../server/authz/operations.ts';
import { type Bits, bitsInOrder, expected, type Ownership, type Role, table } from './oracle.ts';

/** The oracle's tables, compared with the evaluator over every operation, caller, ownership and combination of bits. */

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
  nameless: { 'tentacular.io/owner-sub': 'olga' },
  unclaimed: { 'tentacular.io/owner-email': 'olga@example.com' },
  ownerless: {},
} as const;
const members = { 'tentacular.io/enclave-members': 'client:ci,mia@example.com' };

/** Each caller, and what he is to each of the enclaves above. */
const callers: readonly (readonly [string, OidcPrincipal, Record<keyof typeof enclaves, Role>])[] = [
  [
    'the owner',
    person('olga', { email: 'olga@example.com' }),
    { pinned: 'above', nameless: 'above', unclaimed: 'above', ownerless: 'others' },
  ],
  [
    'the owner without e-mail',
    person('olga'),
    { pinned: 'above', nameless: 'above', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'somebody who got the address of the owner later',
    person('new', { email: 'olga@example.com' }),
    { pinned: 'others', nameless: 'others', unclaimed: 'above', ownerless: 'others' },
  ],
  [
    'somebody whose subject is the address of the owner',
    person('olga@example.com'),
    { pinned: 'others', nameless: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a member',
    person('mia', { email: 'mia@example.com' }),
    { pinned: 'group', nameless: 'group', unclaimed: 'group', ownerless: 'group' },
  ],
  [
    'a member whose address is not verified',
    person('mia', { emailUnverified: true, name: 'mia@example.com' }),
    { pinned: 'others', nameless: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a service account that is a member',
    person('service-1', { client: 'ci', service: true }),
    { pinned: 'group', nameless: 'group', unclaimed: 'group', ownerless: 'group' },
  ],
  [
    'a person who came through the client of that service account',
    person('paul', { client: 'ci', email: 'paul@example.com' }),
    { pinned: 'others', nameless: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a service account with the address of a member',
    person('service-2', { client: 'other', service: true, email: 'mia@example.com' }),
    { pinned: 'others', nameless: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
  [
    'a stranger',
    person('eve', { email: 'eve@example.com' }),
    { pinned: 'others', nameless: 'others', unclaimed: 'others', ownerless: 'others' },
  ],
];

const addressed = (address: string): Ownership => (address === 'olga@example.com' ? 'address' : 'nobody');

/** Each way to own a tentacle: its annotations, and whose it is. */
const ownerships: readonly (readonly [
  string,
  (me: OidcPrincipal) => Record<string, string>,
  Ownership | ((me: OidcPrincipal) => Ownership),
])[] = [
  ['own', (me) => ({ 'tentacular.io/owner-sub': me.sub }), 'mine'],
  ["somebody else's", () => ({ 'tentacular.io/owner-sub': 'somebody' }), 'theirs'],
  ['own, out of Git', (me) => ({ 'tentacular.io/owner-sub': me.sub, 'tentacular.io/managed-by-git': 'true' }), 'mine'],
  [
    "somebody else's, out of Git",
    () => ({ 'tentacular.io/owner-sub': 'somebody', 'tentacular.io/managed-by-git': 'true' }),
    'theirs',
  ],
  ['nobody', () => ({}), 'nobody'],
  [
    'an address only',
    (me) => ({ 'tentacular.io/owner-email': me.email ?? me.sub }),
    (me) => addressed(me.email ?? me.sub),
  ],
  ["the address of the enclave's owner", () => ({ 'tentacular.io/owner-email': 'OLGA@Example.com' }), 'address'],
  [
    'that address and an empty subject',
    () => ({ 'tentacular.io/owner-sub': '', 'tentacular.io/owner-email': 'olga@example.com' }),
    'address',
  ],
  [
    "that address, and somebody else's subject",
    () => ({ 'tentacular.io/owner-sub': 'somebody', 'tentacular.io/owner-email': 'olga@example.com' }),
    'theirs',
  ],
  ['an address that begins so', () => ({ 'tentacular.io/owner-email': 'olga@example.com.evil.example' }), 'nobody'],
  ['an empty address', () => ({ 'tentacular.io/owner-email': '' }), 'nobody'],
  ['that address under the retired prefix', () => ({ 'tentacular.dev/owner-email': 'olga@example.com' }), 'nobody'],
  ['an empty subject', () => ({ 'tentacular.io/owner-sub': '' }), 'nobody'],
  [
    'the retired prefix',
    (me) => ({ 'tentacular.dev/owner-sub': me.sub, 'tentacular.dev/mode': 'rwxrwxrwx' }),
    'nobody',
  ],
  ['Git', () => ({ 'tentacular.io/managed-by-git': 'true' }), 'enclave'],
  ['Git, so it says', () => ({ 'tentacular.io/managed-by-git': 'yes' }), 'nobody'],
];

/** A mode with these bits for one class, and the opposite for the two others: only the right class may count. */
function modeWith(bits: Bits, where: 'owner' | 'group' | 'others'): string {
  const opposite = Array.from('rwx', (right) => (bits.includes(right) ? '-' : right)).join('');
  return (['owner', 'group', 'others'] as const).map((one) => (one === where ? bits : opposite)).join('');
}

const policy = { enabled: true, provisioners: 'everyone' } as const;

describe.each(Object.entries(table))('the truth table of %s', (operation, needs) => {
  it.each(callers)('holds for %s, whatever the bits, the owner and the state of the enclave', (_who, me, roles) => {
    const wrong: object[] = [];
    let cases = 0;
    for (const [kind, role] of Object.entries(roles) as [keyof typeof enclaves, Role][]) {
      for (const [owned, annotationsFor, whose] of ownerships) {
        const ownership = typeof whose === 'function' ? whose(me) : whose;
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
            const answer = expected(needs, role, {
              enclaveBits,
              tentacleBits,
              ownership,
              ownedEnclave: kind !== 'ownerless',
              addressedEnclave: kind === 'pinned' || kind === 'unclaimed',
            });
            const isApply = operation === 'wf_create' || operation === 'wf_update';
            const wanted = answer === 'allowed' && frozen && isApply ? 'frozen' : answer;
            if (told !== wanted || decision.reason === '') wrong.push({ kind, owned, enclave, tentacle, told, wanted });
          }
        }
      }
    }
    expect(cases).toBe(4 * 16 * 64);
    expect(wrong).toEqual([]);
  });
});
