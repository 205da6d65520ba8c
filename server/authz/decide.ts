import { annotationKeys } from '../../constructs/model/annotations.ts';
import type { ErrorCode } from '../../constructs/model/errors.ts';
import type { Principal } from '../../constructs/model/principal.ts';
import { type Operation, type OperationName, operations } from './operations.ts';

export type Annotations = Readonly<Record<string, string>>;

/** Everything that a decision rests on; nothing else has any influence on it. */
export interface Question {
  readonly principal: Principal;
  readonly operation: OperationName;
  /** Annotations of the namespace; absent where the operation is about no enclave. */
  readonly enclave?: Annotations;
  /** Annotations of the Deployment; absent where the operation is about no tentacle, or it does not exist. */
  readonly tentacle?: Annotations;
}

/** A decision and its reason, in words for the audit record and for the caller. */
export type Decision =
  | { readonly allowed: true; readonly reason: string }
  | { readonly allowed: false; readonly reason: string; readonly code: ErrorCode };

/** May this caller do this, here? Pure over data. */
export function decide(question: Question): Decision {
  const operation: Operation = operations[question.operation];
  if (operation.refusedWhenFrozen && question.enclave?.[annotationKeys.enclaveStatus] === 'frozen') {
    return { allowed: false, code: 'frozen', reason: 'the enclave is frozen' };
  }
  switch (question.principal.kind) {
    case 'token':
      return { allowed: true, reason: 'a bearer token carries no identity and bypasses the evaluator' };
    case 'oidc':
      return { allowed: false, code: 'permission_denied', reason: 'no rule allows it' };
  }
}
