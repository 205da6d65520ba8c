import { TentacularError } from '../../constructs/model/errors.ts';
import type { Manifest } from '../../constructs/model/manifest.ts';
import type { Principal } from '../../constructs/model/principal.ts';
import { type Annotations, type Decision, decide } from '../authz/decide.ts';
import type { OperationName } from '../authz/operations.ts';
import type { Cluster } from '../cluster/index.ts';

/** What the audit record says of the decision over one call. */
export interface AdmissionRecord {
  readonly decision: 'allowed' | 'denied' | 'not-judged';
  readonly reason: string;
  readonly enclave?: string;
  readonly tentacle?: string;
}

/**
 * The one way from a tool to the cluster: each handler is admitted before it touches anything. Reads the annotations
 * live, so that a decision never rests on an old copy. What is not ours answers exactly like what does not exist.
 */
export interface Admission {
  /** For operations that are about no enclave, or only filter rows. */
  general(operation: OperationName): void;
  /** The Namespace of the enclave. `not_found` where there is none of ours. */
  enclave(operation: OperationName, enclave: string): Promise<Manifest>;
  /** Namespace and Deployment. `not_found` where either is missing or not ours. */
  tentacle(operation: OperationName, enclave: string, name: string): Promise<{ enclave: Manifest; tentacle: Manifest }>;
  /** For wf_apply: creating and updating are two operations. */
  apply(enclave: string, name: string): Promise<{ enclave: Manifest; tentacle: Manifest | undefined }>;
  /** For wf_remove: remains of a tentacle whose Deployment is gone may be removed by who may write the enclave. */
  removal(operation: OperationName, enclave: string, name: string): Promise<void>;
  /** For a comparison with a source: the tentacle may be missing, then reading the enclave is enough. */
  preview(operation: OperationName, enclave: string, name: string): Promise<void>;
  /** For rows of a list: whether the caller may see this one. Not recorded. */
  mayRead(operation: OperationName, enclave: Manifest, tentacle?: Manifest): boolean;
  /** What was decided so far. */
  readonly record: AdmissionRecord;
}

/** What a decision is read from, live. */
export type AdmissionReads = Pick<Cluster, 'enclave' | 'deployment'>;

export function createAdmission(cluster: AdmissionReads, call: AdmissionCall): Admission {
  let record: AdmissionRecord = { decision: 'not-judged', reason: 'the call ended before it was judged' };

  function judge(operation: OperationName, subject: Subject): void {
    const decision = decideOver(call.principal, operation, subject.enclave, subject.tentacle);
    record = {
      decision: decision.allowed ? 'allowed' : 'denied',
      reason: decision.reason,
      ...(subject.enclaveName === undefined ? {} : { enclave: subject.enclaveName }),
      ...(subject.name === undefined ? {} : { tentacle: subject.name }),
    };
    if (!decision.allowed) throw refusal(decision, subject);
  }

  function missing(subject: Subject, error: TentacularError): TentacularError {
    record = {
      decision: 'not-judged',
      reason: 'no such object of ours',
      ...(subject.enclaveName === undefined ? {} : { enclave: subject.enclaveName }),
      ...(subject.name === undefined ? {} : { tentacle: subject.name }),
    };
    return error;
  }

  async function read(enclaveName: string, name?: string) {
    const options = { signal: call.signal };
    const enclave = await cluster.enclave(enclaveName, options);
    // A namespace that is not ours is not looked into, so nothing in it can make a difference.
    if (!enclave) throw missing({ enclaveName, ...(name ? { name } : {}) }, enclaveNotFound(enclaveName));
    const tentacle = name === undefined ? undefined : await cluster.deployment(enclaveName, name, options);
    return { enclave, tentacle };
  }

  return {
    general: (operation) => judge(operation, {}),
    async enclave(operation, enclaveName) {
      const { enclave } = await read(enclaveName);
      judge(operation, { enclaveName, enclave });
      return enclave;
    },
    async tentacle(operation, enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      if (!tentacle) throw missing({ enclaveName, name }, tentacleNotFound(enclaveName, name));
      judge(operation, { enclaveName, name, enclave, tentacle });
      return { enclave, tentacle };
    },
    async apply(enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      judge(tentacle ? 'wf_update' : 'wf_create', {
        enclaveName,
        name,
        enclave,
        ...(tentacle ? { tentacle } : {}),
      });
      return { enclave, tentacle };
    },
    async removal(operation, enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      judge(tentacle ? operation : 'wf_remove_remains', {
        enclaveName,
        name,
        enclave,
        ...(tentacle ? { tentacle } : {}),
      });
    },
    async preview(operation, enclaveName, name) {
      const { enclave, tentacle } = await read(enclaveName, name);
      judge(operation, { enclaveName, name, enclave, ...(tentacle ? { tentacle } : {}) });
    },
    mayRead: (operation, enclave, tentacle) => decideOver(call.principal, operation, enclave, tentacle).allowed,
    get record() {
      return record;
    },
  };
}

export interface AdmissionCall {
  readonly principal: Principal;
  readonly signal: AbortSignal;
}

interface Subject {
  readonly enclaveName?: string;
  readonly name?: string;
  readonly enclave?: Manifest;
  readonly tentacle?: Manifest;
}

function enclaveNotFound(enclave: string): TentacularError {
  return new TentacularError('not_found', `There is no enclave "${enclave}".`, {
    hint: 'enclave_list shows the enclaves that you may read; enclave_provision makes one.',
  });
}

export function tentacleNotFound(enclave: string, name: string): TentacularError {
  return new TentacularError('not_found', `There is no tentacle "${name}" in the enclave "${enclave}".`, {
    hint: 'wf_list shows the tentacles that you may read; wf_apply makes one.',
  });
}

function decideOver(principal: Principal, operation: OperationName, enclave?: Manifest, tentacle?: Manifest): Decision {
  return decide({
    principal,
    operation,
    ...(enclave ? { enclave: annotationsOf(enclave) } : {}),
    ...(tentacle ? { tentacle: annotationsOf(tentacle) } : {}),
  });
}

export function annotationsOf(object: Manifest): Annotations {
  return object.metadata.annotations ?? {};
}

const refusalHints: Readonly<Record<string, string>> = {
  frozen: 'Reads, runs and wf_remove go on; the owner of the enclave can set it active again.',
};

function refusal(decision: Extract<Decision, { allowed: false }>, subject: Subject): TentacularError {
  const where = subject.enclaveName === undefined ? '' : ` in the enclave "${subject.enclaveName}"`;
  return new TentacularError(decision.code, `Refused${where}: ${decision.reason}.`, {
    hint: refusalHints[decision.code] ?? 'Ask the owner of the enclave.',
  });
}
