import type { JsonObject } from '../../constructs/model/json.ts';
import { type Bits, expected, type Outcome, type Ownership, type Role, table } from '../server/authz/oracle.ts';
import type { ToolOutcome } from '../support/mcp.ts';
import type { Caller } from './permissions-stage.ts';

/** What is asked about: an enclave, a tentacle in it, and their modes. */
export interface Place {
  readonly enclave: string;
  readonly tentacle: string;
  readonly enclaveMode: string;
  readonly tentacleMode: string;
  /** Whose the tentacle is; its absence: nobody's. */
  readonly ownedBy?: Caller;
}

const modes = ['rwx------', 'rwxr-x---', 'rwxrwx---', 'rwxrwxr-x'] as const;

/** Every pair of these modes on an enclave and on the tentacle `shared`; and on `orphan`, which is nobody's. */
export function places(enclave: string): readonly Place[] {
  const shared = modes.flatMap((enclaveMode) =>
    modes.map((tentacleMode): Place => ({ enclave, tentacle: 'shared', enclaveMode, tentacleMode, ownedBy: 'bob' })),
  );
  const orphan = modes.map(
    (enclaveMode): Place => ({ enclave, tentacle: 'orphan', enclaveMode, tentacleMode: 'rwxrwxr-x' }),
  );
  return [...shared, ...orphan];
}

/** One way to ask for a right: changes nothing, however it is answered. */
export interface Ask {
  /** Row of the oracle's table. */
  readonly operation: string;
  readonly tool: string;
  readonly args: (place: Pick<Place, 'enclave' | 'tentacle' | 'enclaveMode' | 'tentacleMode'>) => JsonObject;
}

/**
 * Every question of the sample. Those that would change something ask for what is so already, or for a rehearsal:
 * permissions are judged alike, before anything else.
 * @param source Of a tentacle with that name; for the one that is there, its very source.
 */
export function asks(source: (name: string) => JsonObject): readonly Ask[] {
  const one = (operation: string, tool: string, more: JsonObject = {}): Ask => ({
    operation,
    tool,
    args: ({ enclave, tentacle }) => ({ enclave, name: tentacle, ...more }),
  });
  const whole = (operation: string, tool: string, more: JsonObject = {}): Ask => ({
    operation,
    tool,
    args: ({ enclave }) => ({ name: enclave, ...more }),
  });
  return [
    whole('enclave_info', 'enclave_info'),
    whole('enclave_sync', 'enclave_sync', { new_status: 'active' }),
    whole('enclave_deprovision', 'enclave_deprovision', { dry_run: true }),
    { operation: 'enclave_info', tool: 'permissions_get', args: ({ enclave }) => ({ enclave }) },
    {
      operation: 'enclave_permissions',
      tool: 'permissions_set',
      args: ({ enclave, enclaveMode }) => ({ enclave, mode: enclaveMode }),
    },
    { operation: 'wf_list', tool: 'wf_list', args: ({ enclave }) => ({ enclave }) },
    {
      operation: 'wf_create',
      tool: 'wf_apply',
      args: ({ enclave }) => ({ enclave, ...source('fresh'), dry_run: true }),
    },
    {
      operation: 'wf_update',
      tool: 'wf_apply',
      args: ({ enclave, tentacle }) => ({ enclave, ...source(tentacle), dry_run: true }),
    },
    one('wf_status', 'wf_status'),
    one('wf_logs', 'wf_logs', { tail_lines: 1 }),
    one('wf_run', 'wf_run', { input: { name: 'table' } }),
    one('wf_remove', 'wf_remove', { dry_run: true }),
    one('permissions_get', 'permissions_get'),
    {
      operation: 'tentacle_mode',
      tool: 'permissions_set',
      args: ({ enclave, tentacle, tentacleMode }) => ({ enclave, name: tentacle, mode: tentacleMode }),
    },
  ];
}

/** Asked only where it must be refused: each restart that is allowed starts a pod. */
export const restart: Ask = {
  operation: 'wf_restart',
  tool: 'wf_restart',
  args: ({ enclave, tentacle }) => ({ enclave, name: tentacle }),
};

/** What everybody is to the enclave: `ada` owns it, `bob` and `ci` are members; `carl` only thinks so. */
const roles: Readonly<Record<Caller | 'bearer', Role>> = {
  ada: 'above',
  bob: 'group',
  carl: 'others',
  eve: 'others',
  ci: 'group',
  bearer: 'above',
};

/** The answer out of the oracle's tables. */
export function wanted(operation: string, caller: Caller | 'bearer', place: Place): Outcome {
  const needs = table[operation];
  if (needs === undefined) throw new Error(`the oracle has no row ${operation}`);
  const role = roles[caller];
  const enclaveClass = role === 'above' ? 'owner' : role;
  const ownership: Ownership = place.ownedBy === undefined ? 'nobody' : place.ownedBy === caller ? 'mine' : 'theirs';
  return expected(needs, role, {
    enclaveBits: bitsFor(enclaveClass, place.enclaveMode),
    tentacleBits: bitsFor(ownership === 'mine' ? 'owner' : enclaveClass, place.tentacleMode),
    ownership,
    ownedEnclave: true,
  });
}

function bitsFor(one: 'owner' | 'group' | 'others', mode: string): Bits {
  const [, owner, group, others] = /^(...)(...)(...)$/.exec(mode) ?? [];
  return { owner, group, others }[one] as Bits;
}

/** Calls a tool as one of the callers. */
export type Call = (tool: string, args: JsonObject) => Promise<ToolOutcome>;

/** Names that nothing has, as long as those of `place`, so that nothing but the name can differ. */
const absent = (name: string) => `${name.slice(0, -1)}${name.endsWith('0') ? '1' : '0'}`;

/**
 * What is wrong with the answer; undefined where it is as the oracle has it. What must seem absent is compared, byte by
 * byte, with the answer to the same question about what is absent indeed.
 * @returns The calls that this took, and the fault.
 */
export async function faultOf(
  ask: Ask,
  caller: Caller | 'bearer',
  place: Place,
  call: Call,
): Promise<{ readonly calls: number; readonly fault?: string }> {
  const answer = wanted(ask.operation, caller, place);
  const outcome = await call(ask.tool, ask.args(place));
  const told = outcome.error === undefined ? 'allowed' : outcome.error.code;
  const said = (fault: string) =>
    `${caller} ${ask.tool} (${ask.operation}) on ${place.enclaveMode} ${place.tentacleMode}: ${fault}: ${outcome.text}`;
  if (!answer.endsWith('not_found')) {
    return told === answer ? { calls: 1 } : { calls: 1, fault: said(`${answer} wanted`) };
  }
  // Who may create in the enclave learns that the name is taken: the one exception (docs/authorization.md).
  const mayCreate = wanted('wf_create', caller, place) === 'allowed';
  if (ask.operation === 'wf_update' && answer === 'tentacle not_found' && mayCreate) {
    return told === 'conflict' ? { calls: 1 } : { calls: 1, fault: said('conflict wanted') };
  }
  const key = answer === 'enclave not_found' ? 'enclave' : 'tentacle';
  const twin = await call(ask.tool, ask.args({ ...place, [key]: absent(place[key]) }));
  const same = JSON.stringify(twin).replaceAll(absent(place[key]), place[key]) === JSON.stringify(outcome);
  return same ? { calls: 2 } : { calls: 2, fault: said(`not what is said of an absent ${key}, ${twin.text}`) };
}
