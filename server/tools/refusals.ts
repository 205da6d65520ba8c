import { TentacularError } from '../../constructs/model/errors.ts';
import type { Denied } from '../authz/decide.ts';

/** What a call is about, as far as it named it. */
export interface Named {
  readonly enclaveName?: string;
  readonly name?: string;
}

/** One answer for what does not exist, what is not ours and what the caller may not read: nothing tells them apart. */
export function enclaveNotFound(enclave: string): TentacularError {
  return new TentacularError('not_found', `There is no enclave "${enclave}".`, {
    hint: 'enclave_list shows the enclaves that you may read; enclave_provision makes one.',
  });
}

/** The same for a tentacle. */
export function tentacleNotFound(enclave: string, name: string): TentacularError {
  return new TentacularError('not_found', `There is no tentacle "${name}" in the enclave "${enclave}".`, {
    hint: 'wf_list shows the tentacles that you may read; wf_apply makes one.',
  });
}

/** The same for a pod. */
export function podNotFound(enclave: string, pod: string): TentacularError {
  return new TentacularError('not_found', `There is no pod "${pod}" in the enclave "${enclave}".`, {
    hint: 'wf_pods lists the pods that you may read.',
  });
}

/** Told only to who could have made it: that a name is taken cannot be hidden from him. */
export function nameTaken(enclave: string, name: string): TentacularError {
  return new TentacularError('conflict', `The name "${name}" is taken in the enclave "${enclave}".`, {
    hint: 'Choose another name for the tentacle.',
  });
}

const hints: Readonly<Record<Exclude<Denied['code'], 'not_found'>, string>> = {
  frozen: 'Reads, runs and wf_remove go on; the owner of the enclave can set it active again (enclave_sync).',
  permission_denied: 'permissions_get shows what you may do; the owner of the enclave can change it.',
  no_owner:
    'The owner of the enclave can adopt it with permissions_set (owner), or remove it with wf_remove; callers with the bearer token can too.',
};

/** The refusal that a decision means, in the words for the caller. */
export function refusal(denied: Denied, { enclaveName, name }: Named): TentacularError {
  if (denied.code === 'not_found') {
    const hidesTentacle = denied.hides === 'tentacle' && name !== undefined;
    return hidesTentacle ? tentacleNotFound(enclaveName ?? '', name) : enclaveNotFound(enclaveName ?? '');
  }
  const where = enclaveName === undefined ? '' : ` in the enclave "${enclaveName}"`;
  return new TentacularError(denied.code, `Refused${where}: ${denied.reason}.`, { hint: hints[denied.code] });
}
